/** Remembers things for a moment; a bounded number of them, of which the oldest go first. */
export class BriefMemory<Value> {
  readonly #clock: () => number;
  readonly #maxEntries: number;
  readonly #entries = new Map<string, { untilMs: number; value: Value }>();

  constructor(options: { clock: () => number; maxEntries: number }) {
    this.#clock = options.clock;
    this.#maxEntries = options.maxEntries;
  }

  /** Entries held, those included whose time is over and that nobody has asked for since. */
  get size(): number {
    return this.#entries.size;
  }

  /** What is remembered; undefined when there is nothing, or not any more. */
  get(key: string): Value | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || this.#clock() < entry.untilMs) return entry?.value;
    this.#entries.delete(key);
    return undefined;
  }

  /** Remembers from now on, instead of what was. */
  set(key: string, value: Value, ttlMs: number): void {
    this.#entries.delete(key);
    if (this.#entries.size >= this.#maxEntries) {
      const [oldest] = this.#entries.keys();
      this.#entries.delete(oldest);
    }
    this.#entries.set(key, { untilMs: this.#clock() + ttlMs, value });
  }

  /** Forgets. */
  delete(key: string): void {
    this.#entries.delete(key);
  }
}
