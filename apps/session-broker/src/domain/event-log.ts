/** Events that a session keeps for clients that come back or are behind: at most so many, and so many bytes of JSON. */
export const KEPT_EVENTS = 512;
/** Cap of `KEPT_EVENTS` in bytes; the newest event is kept even when it alone is larger. */
export const KEPT_EVENT_BYTES = 4 * 1024 * 1024;

/** One event with its number in its session, from 1. `json` is one line. */
export interface NumberedEvent {
  readonly id: number;
  readonly json: string;
}

/**
 * The latest events of a session, numbered. Each follower reads at its own pace from the same few kept events, so that a slow one
 * costs nothing; what it did not read in time is gone.
 */
export class EventLog {
  readonly #kept: NumberedEvent[] = [];
  readonly #followers = new Set<() => void>();
  #keptBytes = 0;
  #lastId = 0;
  #ended = false;

  /** Number of followers. */
  get followers(): number {
    return this.#followers.size;
  }

  /** Whether the last event is in. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Adds an event; nothing after the end. */
  append(event: unknown): void {
    if (this.#ended) return;
    this.#lastId += 1;
    const json = JSON.stringify(event);
    this.#kept.push({ id: this.#lastId, json });
    this.#keptBytes += Buffer.byteLength(json);
    while (this.#kept.length > 1 && (this.#kept.length > KEPT_EVENTS || this.#keptBytes > KEPT_EVENT_BYTES)) {
      this.#keptBytes -= Buffer.byteLength(this.#kept.shift()!.json);
    }
    this.#tell();
  }

  /** No more events will come. Idempotent. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#tell();
    this.#followers.clear();
  }

  /** The first kept event after number `id`: not `id + 1` when that one is no longer kept; undefined when there is none yet. */
  after(id: number): NumberedEvent | undefined {
    const oldest = this.#kept[0]?.id ?? 1;
    return this.#kept[Math.max(0, id + 1 - oldest)];
  }

  /** Where a client begins that has read up to `lastEventId`: there, or at 0 when it comes with a number that was never given. */
  resumeAt(lastEventId: number): number {
    return lastEventId > this.#lastId ? 0 : lastEventId;
  }

  /** Calls `onChange`, which must not throw, after each event and at the end. Returns how to leave. */
  follow(onChange: () => void): () => void {
    if (!this.#ended) this.#followers.add(onChange);
    return () => this.#followers.delete(onChange);
  }

  #tell(): void {
    for (const onChange of this.#followers) onChange();
  }
}
