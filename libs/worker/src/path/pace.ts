import { TICKS_PER_SECOND, type Ticks } from '@runnel/media-core';

/** How long an arrival counts in what the source's delay is taken to be. */
const MEMORY_MS = 1_000;
/** A processor that is fast enough may be this far behind, and catches up: a stall of the machine costs time, not frames. */
const CATCH_UP_MS = 1_000;
/** Weight of the newest frame in the average of what a frame costs. One slow frame in ten is a stall, not a slow processor. */
const COST_WEIGHT = 0.1;
/** What the distance of two frames may be; beyond is a pause or a jump. */
const INTERVAL_MS = { min: 4, max: 250, unknown: 1000 / 30 } as const;

const toMs = (ticks: Ticks): number => (ticks * 1000) / TICKS_PER_SECOND;

/**
 * Tells which waiting frames are too late to be worth processing, by PTS and arrival and not by a count.
 *
 * A frame is on time as long as it leaves the queue no more than `depth` frame intervals behind the source's own pace, or up to a
 * second behind it while frames cost less than their interval, because then the backlog is soon gone. That pace is PTS plus the largest delay (arrival minus PTS) of the last one to two seconds: the frames of a burst, such as a segment that
 * arrives whole, are each due one interval after the other, as they would have come one by one. So whoever keeps up
 * with real time loses no frame however bursty the arrival is, and whoever does not, on average, works at most `depth` intervals behind.
 */
export class Pace {
  readonly #depth: number;
  #largest = Number.NEGATIVE_INFINITY;
  #largestBefore = Number.NEGATIVE_INFINITY;
  #turnMs = Number.NEGATIVE_INFINITY;
  #intervalMs: number = INTERVAL_MS.unknown;
  #lastPts: Ticks | null = null;
  #costMs = 0;

  /** `depth` in frame intervals, at least 1. */
  constructor({ depth }: { depth: number }) {
    this.#depth = depth;
  }

  /** Estimated time from one frame to the next. */
  get intervalMs(): number {
    return this.#intervalMs;
  }

  /** A frame's bytes are there. In order of arrival. */
  arrived(pts: Ticks, receivedMs: number): void {
    if (receivedMs - this.#turnMs >= MEMORY_MS) {
      this.#largestBefore = receivedMs - this.#turnMs < 2 * MEMORY_MS ? this.#largest : Number.NEGATIVE_INFINITY;
      this.#largest = Number.NEGATIVE_INFINITY;
      this.#turnMs = receivedMs;
    }
    this.#largest = Math.max(this.#largest, receivedMs - toMs(pts));
    if (this.#lastPts !== null) {
      const step = toMs(pts - this.#lastPts);
      if (step >= INTERVAL_MS.min && step <= INTERVAL_MS.max) this.#intervalMs += (step - this.#intervalMs) * 0.2;
    }
    this.#lastPts = pts;
  }

  /** A frame has been processed and encoded, which took `costMs`. */
  worked(costMs: number): void {
    this.#costMs += (costMs - this.#costMs) * COST_WEIGHT;
  }

  /** Whether a frame that is still waiting is too late, given that a newer one waits behind it. */
  isLate(pts: Ticks, nowMs: number): boolean {
    const delayMs = Math.max(this.#largest, this.#largestBefore);
    const behindMs = nowMs - toMs(pts) - delayMs;
    if (behindMs <= this.#depth * this.#intervalMs) return false;
    return this.#costMs >= this.#intervalMs || behindMs > CATCH_UP_MS;
  }
}
