import type { WorkerEvent } from '@runnel/schemas';
import type { Publisher } from '@runnel/trickle-core';

/** Events that may wait for the network; the oldest are lost first. */
const EVENTS_WAITING_MAX = 256;

/** Publishes events in PyTrickle's envelope, one JSON document a segment, in order. */
export class EventLog {
  readonly #publisher: Publisher;
  readonly #onFailure: (error: unknown) => void;
  readonly #waiting: WorkerEvent[] = [];
  #work: Promise<void> | null = null;
  #lost = 0;

  /** `onFailure` hears of events that could not be published; the log goes on. */
  constructor(publisher: Publisher, onFailure: (error: unknown) => void) {
    this.#publisher = publisher;
    this.#onFailure = onFailure;
  }

  /** Events that were thrown away because the network did not take them. */
  get lost(): number {
    return this.#lost;
  }

  /** Takes an event; never waits. */
  emit(event: WorkerEvent): void {
    this.#waiting.push(event);
    if (this.#waiting.length > EVENTS_WAITING_MAX) {
      this.#waiting.shift();
      this.#lost += 1;
    }
    this.#work ??= this.#run();
  }

  /** Resolves when all that was emitted has been published or given up. */
  async flushed(): Promise<void> {
    await this.#work;
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const event = this.#waiting.shift()!;
      try {
        const segment = await this.#publisher.open();
        await segment.write(new TextEncoder().encode(JSON.stringify(envelope(event))));
        await segment.end();
      } catch (error) {
        this.#lost += 1;
        this.#onFailure(error);
      }
    }
    this.#work = null;
  }
}

/** The event as it stands on the wire. */
function envelope(event: WorkerEvent): { event: WorkerEvent; queue_event_type: string } {
  return { event, queue_event_type: event.type === 'heartbeat' ? 'stream_heartbeat' : 'ai_stream_events' };
}
