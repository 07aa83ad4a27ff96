import { within } from './deadline.ts';

/** Says why a part is not ready, or null when it is. */
export type HealthCheck = () => string | null | Promise<string | null>;

/** Body of `/readyz`. */
export interface Readiness {
  status: 'ready' | 'not_ready';
  checks: Record<string, { ok: boolean; reason: string | null }>;
}

/** How long `/readyz` waits for one check, in milliseconds. */
export const CHECK_DEADLINE_MS = 1000;

/** The named readiness checks of one app. Liveness has none: a process that answers is alive, whatever it depends on. */
export class HealthChecks {
  readonly #checks = new Map<string, HealthCheck>();

  /** Adds a check, or replaces the one of that name. */
  add(name: string, check: HealthCheck): void {
    this.#checks.set(name, check);
  }

  /** Runs all checks side by side. One that throws or takes longer than `CHECK_DEADLINE_MS` is not ready. */
  async readiness(): Promise<Readiness> {
    const checks = Object.fromEntries(
      await Promise.all(
        [...this.#checks].map(async ([name, check]) => {
          const reason = await reasonOf(check);
          return [name, { ok: reason === null, reason }] as const;
        }),
      ),
    );
    return { status: Object.values(checks).every(({ ok }) => ok) ? 'ready' : 'not_ready', checks };
  }
}

async function reasonOf(check: HealthCheck): Promise<string | null> {
  try {
    return await within((async () => check())(), CHECK_DEADLINE_MS, `no answer within ${CHECK_DEADLINE_MS} ms`);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
