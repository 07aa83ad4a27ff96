import { RunnelError } from '@runnel/errors';
import type { Capability, OfferedProcessor, WorkerAnnounce } from '@runnel/schemas';

/** Most workers that are remembered; further ones are ignored until one expires. */
const MAX_WORKERS = 1000;

/** A worker that offers the wanted processor. */
export interface Candidate {
  readonly workerId: string;
  readonly offer: OfferedProcessor;
  readonly slotsFree: number;
}

interface Known {
  announce: WorkerAnnounce;
  expiresAtMs: number;
  /** Sessions that this broker has there. The announcement may not know the latest of them yet. */
  readonly sessions: Set<string>;
  /** Slots taken according to the worker, less what this broker has seen ending since. */
  busyThere: number;
}

/** Who offers what, by the workers' own announcements, and how many slots are free. Pure: time is passed in. */
export class WorkerDirectory {
  readonly #workers = new Map<string, Known>();
  readonly #ttlMs: number;

  constructor({ ttlMs }: { ttlMs: number }) {
    this.#ttlMs = ttlMs;
  }

  /** Takes in an announcement. One without slots says that the worker leaves: nothing more is placed there. */
  announce(announce: WorkerAnnounce, nowMs: number): void {
    const known = this.#workers.get(announce.workerId);
    if (known === undefined && this.#workers.size >= MAX_WORKERS) return;
    this.#workers.set(announce.workerId, {
      announce,
      expiresAtMs: nowMs + this.#ttlMs,
      sessions: known?.sessions ?? new Set(),
      busyThere: announce.slotsTotal - announce.slotsFree,
    });
  }

  /** Whether the worker has announced itself lately. */
  isPresent(workerId: string, nowMs: number): boolean {
    return (this.#workers.get(workerId)?.expiresAtMs ?? 0) > nowMs;
  }

  /** Forgets workers that have stayed out, once they hold no session of ours. */
  sweep(nowMs: number): void {
    for (const [id, { expiresAtMs, sessions }] of this.#workers) {
      if (expiresAtMs <= nowMs && sessions.size === 0) this.#workers.delete(id);
    }
  }

  /** Nobody answers under this id: nothing more is placed there until it announces itself again. */
  markAbsent(workerId: string): void {
    const known = this.#workers.get(workerId);
    if (known !== undefined) known.expiresAtMs = 0;
  }

  /**
   * The workers that offer a processor, those with most free slots first; also the full ones.
   * @throws RunnelError `unknown_processor` with the known ones in `details.known`.
   */
  candidates(processor: string, nowMs: number): Candidate[] {
    const found = this.#present(nowMs).flatMap(({ announce, ...known }) =>
      announce.processors
        .filter((offer) => offer.processor === processor)
        .map((offer) => ({ workerId: announce.workerId, offer, slotsFree: slotsFree({ announce, ...known }) })),
    );
    if (found.length > 0) return found.sort((a, b) => b.slotsFree - a.slotsFree);
    const known = this.capabilities(nowMs).map((capability) => capability.processor);
    throw new RunnelError('unknown_processor', {
      message: `No worker offers the processor '${processor}'. ${known.length > 0 ? `Known: ${known.join(', ')}.` : 'No worker is there.'}`,
      details: { known },
    });
  }

  /** Counts a session against a worker's slots at once, before the worker can tell. False when none is free. */
  reserve(workerId: string, sessionId: string): boolean {
    const known = this.#workers.get(workerId);
    if (known === undefined || slotsFree(known) === 0) return false;
    known.sessions.add(sessionId);
    return true;
  }

  /** Gives the slot of a session back. Idempotent. */
  release(workerId: string, sessionId: string): void {
    const known = this.#workers.get(workerId);
    if (known?.sessions.delete(sessionId)) known.busyThere = Math.max(0, known.busyThere - 1);
  }

  /** What can be asked for now, by name; slots are the sum over the workers that offer it. */
  capabilities(nowMs: number): Capability[] {
    const byName = new Map<string, Capability>();
    for (const known of this.#present(nowMs)) {
      for (const offer of known.announce.processors) {
        const sum = byName.get(offer.processor) ?? { ...offer, slotsFree: 0, slotsTotal: 0 };
        sum.slotsFree += slotsFree(known);
        sum.slotsTotal += known.announce.slotsTotal;
        byName.set(offer.processor, sum);
      }
    }
    return [...byName.values()].sort((a, b) => a.processor.localeCompare(b.processor));
  }

  #present(nowMs: number): Known[] {
    return [...this.#workers.values()].filter(({ expiresAtMs, announce }) => expiresAtMs > nowMs && announce.slotsTotal > 0);
  }
}

/** The worker's count lags behind ours, and knows of other brokers; the larger one is safe. The worker has the last word anyway. */
function slotsFree({ announce, sessions, busyThere }: Known): number {
  return Math.max(0, announce.slotsTotal - Math.max(busyThere, sessions.size));
}
