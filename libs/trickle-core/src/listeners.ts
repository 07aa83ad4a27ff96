/** Functions to call when something changes. A listener must not throw, and may remove itself while it is called. */
export class Listeners<Args extends unknown[] = []> {
  readonly #all = new Set<(...args: Args) => void>();

  /** Returns the function that removes the listener again. */
  add(listener: (...args: Args) => void): () => void {
    this.#all.add(listener);
    return () => {
      this.#all.delete(listener);
    };
  }

  /** Calls each listener once, in the order in which they were added. */
  notify(...args: Args): void {
    for (const listener of this.#all) listener(...args);
  }
}
