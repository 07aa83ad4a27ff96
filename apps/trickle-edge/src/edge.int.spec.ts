import { afterEach, describe, expect, it } from '@jest/globals';
import { type Bus, createMemoryBus } from '@runnel/bus';
import { BUS } from '@runnel/schemas';
import { createLogger, loadConfig } from '@runnel/service';
import { createPublisher, createSubscriber } from '@runnel/trickle-http';
import { startTrickleEdge, type TrickleEdge, TrickleEdgeConfigSchema } from './index.ts';

const SESSION = 'ses_aaaaaaaaaaaaaaaaaaaa';
const OTHER = 'ses_bbbbbbbbbbbbbbbbbbbb';
const DEADLINE = { deadlineMs: 5000 };

describe('the edge on the bus', () => {
  let bus: Bus;
  let edge: TrickleEdge;

  async function start(env: Record<string, string> = {}): Promise<void> {
    bus = createMemoryBus();
    const config = loadConfig(TrickleEdgeConfigSchema, { EDGE_PORT: '0', ...env });
    edge = await startTrickleEdge({ bus, logger: createLogger({ name: 'edge', level: 'silent' }), config });
  }

  afterEach(async () => {
    await edge.close();
    await edge.close();
    await bus.close();
  });

  it('makes the channels of a session under unguessable names, each with its MIME type, and tells the same ones again', async () => {
    await start();
    const made = await bus.request(BUS.edgeCreate, {}, { sessionId: SESSION }, DEADLINE);
    expect(await bus.request(BUS.edgeCreate, {}, { sessionId: SESSION }, DEADLINE)).toEqual(made);
    const { worker: urls } = made.urls;
    const other = await bus.request(BUS.edgeCreate, {}, { sessionId: OTHER }, DEADLINE);
    const all = [...Object.values(urls), ...Object.values(other.urls.worker)];
    expect(new Set(all.map((url) => url.slice(-40))).size).toBe(10);
    const types = await Promise.all(Object.entries(urls).map(async ([kind, url]) => [kind, (await metadata(url)).mimeType]));
    expect(Object.fromEntries(types)).toEqual({
      videoIn: 'video/MP2T',
      videoOut: 'video/MP2T',
      control: 'application/json',
      events: 'application/json',
      data: 'application/jsonl',
    });
  });

  it('relays what a publisher sends to a subscriber', async () => {
    await start();
    const { worker: urls } = (await bus.request(BUS.edgeCreate, {}, { sessionId: SESSION }, DEADLINE)).urls;
    const publisher = createPublisher({ url: urls.videoIn, mimeType: 'video/MP2T' });
    const subscriber = createSubscriber({ url: urls.videoIn, start: 0 });
    const writer = await publisher.open();
    await writer.write(new Uint8Array([1, 2, 3]));
    await writer.end();
    expect(await read(subscriber)).toEqual([0, Buffer.from([1, 2, 3])]);
    await publisher.close();
    await subscriber.close();
  });

  it('writes each control message as a JSON segment of its own, in order', async () => {
    await start();
    const { worker: urls } = (await bus.request(BUS.edgeCreate, {}, { sessionId: SESSION }, DEADLINE)).urls;
    const subscriber = createSubscriber({ url: urls.control, start: 0 });
    for (const [seq, strength] of [1, 2].entries()) {
      expect(await bus.request(BUS.edgeControl, {}, { sessionId: SESSION, body: { strength } }, DEADLINE)).toEqual({ seq });
    }
    expect([await read(subscriber), await read(subscriber)]).toEqual([
      [0, Buffer.from('{"strength":1}')],
      [1, Buffer.from('{"strength":2}')],
    ]);
    await subscriber.close();
  });

  it('refuses a control message to a session that it does not know', async () => {
    await start();
    const sent = bus.request(BUS.edgeControl, {}, { sessionId: SESSION, body: {} }, DEADLINE);
    await expect(sent).rejects.toMatchObject({ code: 'session_not_found' });
  });

  it('ends all channels of a session, and only of that one', async () => {
    await start();
    const { worker: urls } = (await bus.request(BUS.edgeCreate, {}, { sessionId: SESSION }, DEADLINE)).urls;
    const other = await bus.request(BUS.edgeCreate, {}, { sessionId: OTHER }, DEADLINE);
    const subscriber = createSubscriber({ url: urls.events, start: 'next' });
    const waiting = subscriber.next();
    while ((await metadata(urls.events)).subscribers === 0);
    expect(await bus.request(BUS.edgeClose, {}, { sessionId: SESSION }, DEADLINE)).toEqual({ closed: 5 });
    expect(await waiting).toBeNull();
    expect(await bus.request(BUS.edgeClose, {}, { sessionId: SESSION }, DEADLINE)).toEqual({ closed: 0 });
    expect((await fetch(urls.videoIn)).status).toBe(404);
    expect((await metadata(other.urls.worker.videoIn)).status).toBe('open');
    await subscriber.close();
  });

  it('tells its metrics without the name of any channel', async () => {
    await start({ EDGE_OPS_PORT: '0' });
    const { worker: urls } = (await bus.request(BUS.edgeCreate, {}, { sessionId: SESSION }, DEADLINE)).urls;
    await bus.request(BUS.edgeControl, {}, { sessionId: SESSION, body: { a: 1 } }, DEADLINE);
    const text = await (await fetch(`${edge.opsUrl}/metrics`)).text();
    expect(text).toMatch(/^trickle_channels(\{.*\})? 5$/m);
    expect(text).toMatch(/^trickle_received_bytes_total(\{.*\})? 7$/m);
    expect(text).not.toContain(urls.control.slice(-40));
  });

  it('says that its port is taken', async () => {
    await start();
    const config = loadConfig(TrickleEdgeConfigSchema, { EDGE_PORT: new URL(edge.url).port });
    const second = startTrickleEdge({ bus, logger: createLogger({ name: 'edge', level: 'silent' }), config });
    await expect(second).rejects.toMatchObject({ code: 'port_in_use' });
  });
});

async function metadata(url: string): Promise<{ mimeType: string; status: string; subscribers: number }> {
  return (await fetch(url)).json() as Promise<{ mimeType: string; status: string; subscribers: number }>;
}

async function read(subscriber: ReturnType<typeof createSubscriber>): Promise<[number, Buffer]> {
  const segment = await subscriber.next();
  if (segment?.kind !== 'segment') throw new Error('no segment');
  const chunks: Uint8Array[] = [];
  for await (const chunk of segment.bytes) chunks.push(chunk);
  return [segment.seq, Buffer.concat(chunks)];
}
