import type { FastifyReply } from 'fastify';
import type { EventLog } from '../domain/event-log.ts';

/** Time between comments that keep an idle stream alive, in milliseconds. */
const SSE_KEEP_ALIVE_MS = 15_000;

/**
 * Streams a log as server-sent events (WHATWG HTML, section 9.2): `id` is the event's number, `data` its JSON. Ends after the last
 * event of the session. Nothing is buffered for a client beyond the socket: it reads the kept events at its own pace, and is cut
 * when the next one for it is gone. It may come back with `Last-Event-ID`; what it has missed is told by a `warning` without an id.
 */
export function streamEvents(reply: FastifyReply, log: EventLog, lastEventId: number): void {
  // From here on the response is ours: Fastify would wait for a whole payload.
  reply.hijack();
  const { raw } = reply;
  let read = log.resumeAt(lastEventId);
  let blocked = false;
  const write = (text: string) => {
    blocked = !raw.write(text);
  };
  const pump = () => {
    while (!raw.destroyed) {
      const next = log.after(read);
      // Too slow: what comes next for this client is gone. It comes back with the number of its last event and is told.
      if (next !== undefined && next.id !== read + 1) raw.destroy();
      if (next === undefined && log.ended) raw.end();
      if (next === undefined || blocked || raw.destroyed) return;
      read = next.id;
      write(`id: ${next.id}\ndata: ${next.json}\n\n`);
    }
  };
  raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
  // HEAD asks for no more than that (RFC 9110, 9.3.2), and would otherwise wait for ever.
  if (reply.request.method === 'HEAD') {
    raw.end();
    return;
  }
  // Sent at once, so that a client knows that it is connected before anything happens.
  write(': connected\n\n');
  const first = log.after(read);
  if (first !== undefined && first.id !== read + 1) {
    const message = `${first.id - read - 1} events before the next one are no longer kept.`;
    write(`data: ${JSON.stringify({ type: 'warning', timestamp: Date.now(), code: 'events_missed', message })}\n\n`);
    read = first.id - 1;
  }
  const keepAlive = setInterval(() => {
    if (!blocked) write(': keep-alive\n\n');
  }, SSE_KEEP_ALIVE_MS);
  const leave = log.follow(pump);
  raw.on('drain', () => {
    blocked = false;
    pump();
  });
  raw.once('close', () => {
    clearInterval(keepAlive);
    leave();
  });
  pump();
}
