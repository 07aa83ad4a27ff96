/** A count that may run ahead by a burst, and grows back with time. */
export class Rate {
  readonly #burst: number;
  readonly #perMs: number;
  #used = 0;
  #sinceMs: number | null = null;

  /** `burst` at once; `perSecond` afterwards. */
  constructor(options: { burst: number; perSecond: number }) {
    this.#burst = options.burst;
    this.#perMs = options.perSecond / 1000;
  }

  /** Counts one; false when that is more than the rate. Time may be any clock that does not go back. */
  take(nowMs: number): boolean {
    this.#used = Math.max(0, this.#used - (nowMs - (this.#sinceMs ?? nowMs)) * this.#perMs) + 1;
    this.#sinceMs = nowMs;
    return this.#used <= this.#burst;
  }
}
