/** What the burnt-in frame numbers of a file tell. */
export interface ClipCounters {
  first: number;
  last: number;
  /** Frames with the number of the one before. */
  duplicates: number;
  /** Numbers that are missing. */
  gaps: number;
  /** Frames with a lower number than the one before. */
  misordered: number;
  /** Frames whose number cannot be read. */
  unreadable: number;
}

/** A file in which fewer frames than this share carry a number was not made by us. */
const READABLE_SHARE_MIN = 0.1;

/** Follows the frame numbers of a file, in the order of presentation. */
export class CounterCheck {
  #frames = 0;
  #since = 0;
  #seen: Omit<ClipCounters, 'unreadable'> | null = null;
  #unreadable = 0;

  /** Takes what was read from the next frame. */
  add(number: number | null): void {
    this.#frames += 1;
    if (number === null) {
      this.#unreadable += 1;
      this.#since += 1;
      return;
    }
    const seen = (this.#seen ??= { first: number, last: number - 1 - this.#since, duplicates: 0, gaps: 0, misordered: 0 });
    // Frames that cannot be read stand for a number each.
    const step = number - seen.last - this.#since;
    if (number < seen.last) seen.misordered += 1;
    else if (number === seen.last) seen.duplicates += 1;
    else if (step > 1) seen.gaps += step - 1;
    seen.last = number;
    this.#since = 0;
  }

  /** Null when the file carries no numbers. */
  result(): ClipCounters | null {
    const readable = this.#frames - this.#unreadable;
    if (this.#seen === null || readable < 2 || readable < this.#frames * READABLE_SHARE_MIN) return null;
    return { ...this.#seen, unreadable: this.#unreadable };
  }
}
