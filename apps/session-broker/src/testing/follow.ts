import { EventSourceParserStream } from 'eventsource-parser/stream';

/** One server-sent event with its parsed data. */
export interface SeenEvent {
  readonly id: number;
  readonly event: { type: string } & Record<string, unknown>;
}

/** Reads an event stream until it ends, or until an event fits. */
export async function follow(
  url: string,
  { lastEventId, until }: { lastEventId?: number; until?: (event: SeenEvent['event']) => boolean } = {},
): Promise<SeenEvent[]> {
  const leave = new AbortController();
  const response = await fetch(url, {
    signal: AbortSignal.any([leave.signal, AbortSignal.timeout(10_000)]),
    headers: lastEventId === undefined ? {} : { 'last-event-id': String(lastEventId) },
  });
  const seen: SeenEvent[] = [];
  for await (const message of response.body!.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream())) {
    const event = JSON.parse(message.data) as SeenEvent['event'];
    seen.push({ id: Number(message.id), event });
    if (until?.(event) === true) break;
  }
  leave.abort();
  return seen;
}
