import type { EncodedUnit, Ticks } from '@runnel/media-core';

/** Distance that is put between two units on either side of a jump: one frame at 30 a second. */
const SEAM_TICKS = 3_000;
/** Audio that is out of order by less than this has jitter, not a new time line. */
const AUDIO_JITTER_TICKS = 45_000;

/**
 * Keeps decode times of a stream growing. Times pass unchanged until they jump back (its publisher has restarted); from then
 * on all are moved by the same distance, audio and video together, so that the output goes on where it was.
 */
export class Timeline {
  #offset: Ticks = 0;
  #lastVideo: Ticks = Number.NEGATIVE_INFINITY;
  #lastAudio: Ticks = Number.NEGATIVE_INFINITY;
  #jumps = 0;

  /** Jumps back so far. */
  get jumps(): number {
    return this.#jumps;
  }

  /** The unit on the output's time line. Units of each kind come in decode order. */
  place(unit: EncodedUnit, kind: 'video' | 'audio'): EncodedUnit {
    const last = kind === 'video' ? this.#lastVideo : this.#lastAudio - AUDIO_JITTER_TICKS;
    if (unit.dts + this.#offset < last) {
      this.#offset = Math.max(this.#lastVideo, this.#lastAudio) + SEAM_TICKS - unit.dts;
      this.#jumps += 1;
    }
    const placed = this.#offset === 0 ? unit : { ...unit, pts: unit.pts + this.#offset, dts: unit.dts + this.#offset };
    if (kind === 'video') this.#lastVideo = Math.max(this.#lastVideo, placed.dts);
    else this.#lastAudio = Math.max(this.#lastAudio, placed.dts);
    return placed;
  }
}
