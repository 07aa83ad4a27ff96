import type { FastifyReply } from 'fastify';
import type { EventLog } from '../domain/event-log.ts';

/** Time between comments that keep an idle stream alive, in milliseconds. */
const SSE_KEEP_ALIVE_MS = 15_000;
/** Bytes that may wait for one client. One that is further behind is cut; it may come back with `Last-Event-ID`. */
const SSE_BACKLOG_BYTES = 256 * 1024;

/**
 * Streams a log as server-sent events (WHATWG HTML, section 9.2): `id` is the event's number, `data` its JSON. Ends after the last
 * event of the session. What is lost before the first replayed event is told by a `warning` without an id.
 */
export function streamEvents(reply: FastifyReply, log: EventLog, afterId: number): void {
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
  const write = (text: string) => {
    if (raw.destroyed || raw.writableEnded) return;
    raw.write(text);
    if (raw.writableLength > SSE_BACKLOG_BYTES) raw.destroy();
  };
  const keepAlive = setInterval(() => write(': keep-alive\n\n'), SSE_KEEP_ALIVE_MS);
  // The head alone is sent at once, so that a client knows that it is connected before anything happens.
  write(': connected\n\n');
  const missed = log.missedAfter(afterId);
  if (missed > 0) {
    const message = `${missed} events before this one are no longer kept.`;
    write(`data: ${JSON.stringify({ type: 'warning', timestamp: Date.now(), code: 'events_missed', message })}\n\n`);
  }
  const leave = log.follow(afterId, {
    onEvent: ({ id, json }) => write(`id: ${id}\ndata: ${json}\n\n`),
    onEnd: () => raw.end(),
  });
  raw.once('close', () => {
    clearInterval(keepAlive);
    leave();
  });
}
