import { TICKS_PER_SECOND, type Ticks } from '@runnel/media-core';

/**
 * Thins frames out to a rate by the phase of their PTS: 24 of 30 are exactly four of five, and a source at the rate itself loses
 * none to jitter of up to half an interval.
 */
export class Decimator {
  readonly #intervalTicks: number;
  #origin: Ticks | null = null;
  #last = -1;

  /** `maxFramerate` in frames a second; absent: every frame is kept. */
  constructor({ maxFramerate }: { maxFramerate?: number | undefined }) {
    this.#intervalTicks = maxFramerate === undefined ? 0 : TICKS_PER_SECOND / maxFramerate;
  }

  /** Whether the frame is kept. Called once a frame, in order. */
  accepts(pts: Ticks): boolean {
    if (this.#intervalTicks === 0) return true;
    if (this.#origin === null || pts < this.#origin) {
      this.#origin = pts;
      this.#last = -1;
    }
    const slot = Math.floor((pts - this.#origin) / this.#intervalTicks + 0.5);
    if (slot <= this.#last) return false;
    this.#last = slot;
    return true;
  }
}
