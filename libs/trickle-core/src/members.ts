/** A set that nearly always has one member or none, as the readers and writers of a segment do: then it is one field. */
export class Members<T extends object> {
  #one: T | null = null;
  #more: Set<T> | null = null;

  /** Number of members. */
  get size(): number {
    return this.#more === null ? (this.#one === null ? 0 : 1) : this.#more.size;
  }

  /** Adds a member that is not in it. */
  add(member: T): void {
    if (this.#more !== null) this.#more.add(member);
    else if (this.#one === null) this.#one = member;
    else {
      this.#more = new Set([this.#one, member]);
      this.#one = null;
    }
  }

  /** Takes a member out. Returns whether it was in it. */
  delete(member: T): boolean {
    if (this.#more !== null) return this.#more.delete(member);
    if (this.#one !== member) return false;
    this.#one = null;
    return true;
  }

  /** The only member; null when there is none, or there are more. */
  get only(): T | null {
    return this.#one;
  }

  /** Members in the order in which they came. One that is taken out while it is walked, and has not had its turn, has none. */
  [Symbol.iterator](): Iterator<T> {
    return (this.#more ?? (this.#one === null ? [] : [this.#one]))[Symbol.iterator]();
  }
}
