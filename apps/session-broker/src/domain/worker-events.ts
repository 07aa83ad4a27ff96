import { EventEnvelope, WorkerEvent } from '@runnel/schemas';
import type { Subscriber } from '@runnel/trickle-core';
import { RunnelError, toRunnelError } from '@runnel/errors';

/** Largest segment of an events channel; what a worker says is short. */
export const MAX_EVENT_BYTES = 256 * 1024;

/** An event as it came: one that we know, or of a type that only its worker knows. */
export type HeardEvent = { known: true; event: WorkerEvent } | { known: false; event: { type: string } };

/** The reading of one session's events channel. */
export interface EventWatch {
  /** Resolves when the channel has ended, cannot be read any more, or has brought `stream_stopped`. Never rejects. */
  readonly finished: Promise<void>;
  /** Stops reading; resolves when it has. Idempotent. */
  close(): Promise<void>;
}

/** Who is told. Called in order; must not throw. */
export interface EventListener {
  onEvent(heard: HeardEvent): void;
  /** Something was lost or unreadable; it goes on if it can. */
  onWarning(warning: { code: string; message: string }): void;
}

/** Reads an events channel to its end and tells what is in it. The subscriber is the one layer that retries. */
export function watchEvents(subscriber: Subscriber, listener: EventListener): EventWatch {
  const { promise: finished, resolve: finish } = Promise.withResolvers<void>();
  const reading = read(subscriber, listener, finish).finally(finish);
  return {
    finished,
    close: async () => {
      await subscriber.close();
      await reading;
    },
  };
}

async function read(subscriber: Subscriber, listener: EventListener, finish: () => void): Promise<void> {
  for (;;) {
    try {
      const next = await subscriber.next();
      if (next === null) return;
      if (next.kind === 'gap') {
        listener.onWarning({ code: 'events_missed', message: `Events ${next.from} to ${next.to - 1} were missed (${next.reason}).` });
        continue;
      }
      for (const heard of parseEvents(await readText(next.bytes), listener)) {
        listener.onEvent(heard);
        if (heard.event.type === 'stream_stopped') finish();
      }
    } catch (thrown) {
      const { code, message } = toRunnelError(thrown);
      listener.onWarning({ code, message });
      // A cut segment is one event less; anything else means that the channel cannot be read.
      if (code !== 'segment_cut' && code !== 'payload_too_large') return;
    }
  }
}

async function readText(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let total = 0;
  for await (const piece of bytes) {
    total += piece.byteLength;
    if (total <= MAX_EVENT_BYTES) text += decoder.decode(piece, { stream: true });
  }
  if (total > MAX_EVENT_BYTES) {
    throw new RunnelError('payload_too_large', { message: `The worker sent an event of ${total} bytes; the limit is ${MAX_EVENT_BYTES}.` });
  }
  return text + decoder.decode();
}

/** A segment holds one JSON document, or one a line. Each is an event in PyTrickle's envelope, or bare. */
function parseEvents(text: string, listener: EventListener): HeardEvent[] {
  const heard: HeardEvent[] = [];
  for (const document of isJson(text) ? [text] : text.split('\n').filter((line) => line.trim() !== '')) {
    const event = isJson(document) ? unwrap(JSON.parse(document)) : null;
    if (event === null) listener.onWarning({ code: 'malformed_event', message: 'The worker sent an event that cannot be read.' });
    else heard.push(event);
  }
  return heard;
}

function unwrap(document: unknown): HeardEvent | null {
  const envelope = EventEnvelope.safeParse(document);
  const bare = envelope.success ? envelope : EventEnvelope.safeParse({ event: document, queue_event_type: '' });
  if (!bare.success) return null;
  const known = WorkerEvent.safeParse(bare.data.event);
  if (known.success) return { known: true, event: known.data };
  // A type of ours in a shape that is not: to pass it on would break whoever trusts the schema.
  const ours =
    WorkerEvent.options.some((option) => option.shape.type.value === bare.data.event.type) || bare.data.event.type === 'session_state';
  return ours ? null : { known: false, event: bare.data.event };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
