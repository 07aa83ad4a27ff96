/** Gives a time to pictures that have none: AVI does not tell that of the last one of a stream with B-frames. */
export class PictureClock {
  #last: number | null = null;
  #step = 0;

  /** The time of the next picture, `told` or as far from the last one as that was from the one before; null when that is unknown. */
  timeOf(told: number | null): number | null {
    const pts = told ?? (this.#last === null || this.#step <= 0 ? null : this.#last + this.#step);
    if (pts === null) return null;
    if (this.#last !== null) this.#step = pts - this.#last;
    this.#last = pts;
    return pts;
  }
}
