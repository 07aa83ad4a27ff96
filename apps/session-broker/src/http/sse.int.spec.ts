import { createConnection } from 'node:net';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { fastify } from 'fastify';
import { EventLog } from '../domain/event-log.ts';
import { follow } from '../testing/follow.ts';
import { streamEvents } from './sse.ts';

async function serve(log: EventLog): Promise<{ url: string; port: number; close: () => Promise<void> }> {
  const server = fastify({ forceCloseConnections: true, serverFactory: (handler) => createServer(handler) });
  server.get('/', (request, reply) => streamEvents(reply, log, Number(request.headers['last-event-id'] ?? 0)));
  await server.listen({ port: 0, host: '127.0.0.1' });
  const { port } = server.server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, port, close: async () => server.close() };
}

describe('An event stream', () => {
  it('cuts a client that does not read once its next event is gone, and others go on', async () => {
    const log = new EventLog();
    const server = await serve(log);
    const stuck = createConnection(server.port, '127.0.0.1');
    const cut = new Promise((resolve) => stuck.once('close', resolve));
    stuck.on('error', () => {});
    stuck.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    stuck.pause();
    const healthy = follow(server.url, { until: ({ type }) => type === 'last' });
    while (log.followers < 2) await new Promise((resolve) => setTimeout(resolve, 1));
    const event = { type: 'big', text: 'x'.repeat(32 * 1024) };
    let written = 0;
    // The kernel's own buffers take some megabytes first.
    while (log.followers === 2 && written < 4000) {
      log.append(event);
      written += 1;
      // The healthy client must have the time to read.
      if (written % 4 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    }
    log.append({ type: 'last' });
    expect((await healthy).map(({ id }) => id)).toEqual(Array.from({ length: written + 1 }, (_, at) => at + 1));
    stuck.resume();
    await cut;
    await server.close();
  });

  it('brings a long log whole to a client that is slower than the log is long', async () => {
    const log = new EventLog();
    for (let at = 0; at < 400; at += 1) log.append({ type: 'e', text: 'x'.repeat(8000) });
    log.end();
    const server = await serve(log);
    expect((await follow(server.url)).map(({ id }) => id)).toEqual(Array.from({ length: 400 }, (_, at) => at + 1));
    await server.close();
  });

  it('tells a client that comes back too late what it has missed', async () => {
    const log = new EventLog();
    for (let at = 0; at < 600; at += 1) log.append({ type: 'e' });
    log.end();
    const server = await serve(log);
    const seen = await follow(server.url, { lastEventId: 10 });
    expect(seen[0].event).toMatchObject({ type: 'warning', code: 'events_missed', message: expect.stringContaining('78 events') });
    expect(seen.slice(1).map(({ id }) => id)).toEqual(Array.from({ length: 512 }, (_, at) => at + 89));
    await server.close();
  });

  it('lets go of a client that leaves', async () => {
    const log = new EventLog();
    const server = await serve(log);
    log.append({ type: 'first' });
    await follow(server.url, { until: () => true });
    while (log.followers > 0) await new Promise((resolve) => setTimeout(resolve, 1));
    await server.close();
  });
});
