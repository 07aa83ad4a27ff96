import { RunnelError } from '@runnel/errors';

const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 5000;
const MAX_ORIGINS = 1000;

/** Keeps an upstream edge that cannot be reached from being asked for every channel of it: doubling pauses, up to 5 s. */
export class OriginBackoff {
  readonly #clock: () => number;
  readonly #origins = new Map<string, { failures: number; untilMs: number }>();

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** @throws RunnelError `edge_unreachable` while the pause lasts. */
  check(origin: string): void {
    const entry = this.#origins.get(origin);
    if (entry === undefined || this.#clock() >= entry.untilMs) return;
    throw new RunnelError('edge_unreachable', { message: 'The upstream edge could not be reached a moment ago.' });
  }

  /** It could not be reached. Failures that come together count once. */
  failed(origin: string): void {
    const before = this.#origins.get(origin);
    const nowMs = this.#clock();
    if (before !== undefined && nowMs < before.untilMs) return;
    const failures = (before?.failures ?? 0) + 1;
    this.#origins.delete(origin);
    if (this.#origins.size >= MAX_ORIGINS) {
      const [oldest] = this.#origins.keys();
      this.#origins.delete(oldest);
    }
    this.#origins.set(origin, { failures, untilMs: nowMs + Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (failures - 1)) });
  }

  /** It has answered. */
  answered(origin: string): void {
    this.#origins.delete(origin);
  }
}
