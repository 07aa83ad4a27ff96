/** Events that a session keeps for clients that come back. */
const KEPT_EVENTS = 512;

/** One event with its number in its session, from 1. `json` is one line. */
export interface NumberedEvent {
  readonly id: number;
  readonly json: string;
}

/** Who follows a log. Called at once, in order; must not throw. */
export interface Follower {
  onEvent(event: NumberedEvent): void;
  /** There will be no more. */
  onEnd(): void;
}

/** The latest events of a session, numbered, with those who follow them. */
export class EventLog {
  readonly #kept: NumberedEvent[] = [];
  readonly #followers = new Set<Follower>();
  #lastId = 0;
  #ended = false;

  /** Number of followers. */
  get followers(): number {
    return this.#followers.size;
  }

  /** Adds an event; nothing after the end. */
  append(event: unknown): void {
    if (this.#ended) return;
    this.#lastId += 1;
    const numbered = { id: this.#lastId, json: JSON.stringify(event) };
    this.#kept.push(numbered);
    if (this.#kept.length > KEPT_EVENTS) this.#kept.shift();
    for (const follower of this.#followers) follower.onEvent(numbered);
  }

  /** The last event is in: followers are told and let go. Idempotent. */
  end(): void {
    this.#ended = true;
    for (const follower of this.#followers) follower.onEnd();
    this.#followers.clear();
  }

  /** How many events after number `afterId` are no longer kept. */
  missedAfter(afterId: number): number {
    return Math.max(0, (this.#kept[0]?.id ?? 1) - this.#start(afterId) - 1);
  }

  /** Replays the kept events after number `afterId`, then follows. Returns how to leave. */
  follow(afterId: number, follower: Follower): () => void {
    const start = this.#start(afterId);
    for (const event of this.#kept) if (event.id > start) follower.onEvent(event);
    if (this.#ended) follower.onEnd();
    else this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }

  /** A number from the future (of an earlier life of the broker) replays all. */
  #start(afterId: number): number {
    return afterId > this.#lastId ? 0 : afterId;
  }
}
