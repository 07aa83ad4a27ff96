/** Segments that a channel may be behind before a stamp is written over: far more than any window. */
const SLOTS = 4096;

/** When the first and the last write of each of a channel's newest segments were due, on the generator's clock. */
export class Stamps {
  #first = new Float64Array(SLOTS);
  #last = new Float64Array(SLOTS);

  begin(seq, nowMs) {
    this.#first[seq % SLOTS] = nowMs;
  }

  finish(seq, nowMs) {
    this.#last[seq % SLOTS] = nowMs;
  }

  /** Milliseconds from the first write to `nowMs`. */
  sinceFirst(seq, nowMs) {
    return nowMs - this.#first[seq % SLOTS];
  }

  /** Milliseconds from the last write to `nowMs`. */
  sinceLast(seq, nowMs) {
    return nowMs - this.#last[seq % SLOTS];
  }
}
