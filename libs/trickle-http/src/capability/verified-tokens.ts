/**
 * A bounded memory of tokens that were found valid, in two generations: when the young one is full the old one is forgotten. What is in use
 * stays, as every hit moves it to the young generation, and a hit costs one look-up, without the re-ordering of a least-recently-used list.
 */
export class VerifiedTokens<T> {
  readonly #generationSize: number;
  #young = new Map<string, T>();
  #old = new Map<string, T>();

  /** `generationSize`: tokens of one generation; twice as many are held at most. 0: nothing is remembered. */
  constructor(generationSize: number) {
    this.#generationSize = generationSize;
  }

  /** Tokens held now. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** What was added with a token, if it is still held. */
  get(token: string): T | undefined {
    const found = this.#young.get(token);
    if (found !== undefined || this.#old.size === 0) return found;
    const older = this.#old.get(token);
    if (older !== undefined) {
      this.#old.delete(token);
      this.add(token, older);
    }
    return older;
  }

  /** Remembers a token. */
  add(token: string, value: T): void {
    if (this.#generationSize === 0) return;
    if (this.#young.size >= this.#generationSize) [this.#young, this.#old] = [new Map(), this.#young];
    this.#young.set(token, value);
  }

  /** Forgets all. */
  clear(): void {
    this.#young.clear();
    this.#old.clear();
  }
}
