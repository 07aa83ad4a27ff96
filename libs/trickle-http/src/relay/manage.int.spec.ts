import { afterEach, describe, expect, it } from '@jest/globals';
import type { RelayOptions } from '../index.ts';
import { eventually, WireBench } from '../testing/bench.ts';

let bench: WireBench;
async function setUp(options: RelayOptions = {}) {
  bench = new WireBench(options);
  return bench.start();
}
afterEach(() => bench.close());

describe('channels on the wire', () => {
  it('are made with the MIME type of Expect-Content, and again without harm', async () => {
    await setUp({ creation: 'explicit' });
    for (let time = 0; time < 2; time += 1) {
      expect((await bench.ask('POST', '/trickle/new', 'Expect-Content: application/json\r\nContent-Length: 0\r\n')).status).toBe(200);
    }
    expect(bench.relay.hub.get('new')?.mimeType).toBe('application/json');
  });

  it('cannot be made where creation is off', async () => {
    await setUp();
    expect((await bench.ask('POST', '/trickle/new', 'Content-Length: 0\r\n')).status).toBe(404);
    expect((await bench.ask('POST', '/trickle/c', 'Content-Length: 0\r\n')).status).toBe(200);
  });

  it('tell the next write as text and as a header', async () => {
    await setUp();
    await bench.put(0, 'x');
    const { status, body, headers } = await bench.ask('GET', '/trickle/c/next');
    expect([status, body, headers['lp-trickle-latest']]).toEqual([200, '1', '1']);
    expect((await bench.ask('GET', '/trickle/nobody/next')).status).toBe(404);
  });

  it('tell their metadata', async () => {
    await setUp();
    await bench.put(0, 'abc');
    await bench.ask('GET', '/trickle/c/0');
    await bench.get(1);
    const { headers, body } = await bench.ask('GET', '/trickle/c');
    expect(headers['content-type']).toBe('application/json');
    expect(JSON.parse(body)).toEqual({
      channel: 'c',
      mimeType: 'video/MP2T',
      seq: 1,
      oldest: 0,
      status: 'open',
      params: {},
      createdAt: expect.stringMatching(/^\d{4}-.*Z$/),
      lastWriteAt: expect.stringMatching(/^\d{4}-.*Z$/),
      publishers: 0,
      subscribers: 1,
      bytesIn: 3,
      bytesOut: 3,
      gaps: 0,
    });
  });

  it('release waiting readers with 200 and Lp-Trickle-Closed when they end, and are unknown from then on', async () => {
    await setUp();
    await bench.put(0, 'x');
    const reader = await bench.get(1);
    const writer = await bench.post(1);
    expect((await bench.ask('DELETE', '/trickle/c')).status).toBe(200);
    const seen = await reader.answer();
    expect([
      seen.status,
      seen.body,
      seen.headers['lp-trickle-closed'],
      seen.headers['lp-trickle-seq'],
      seen.headers['lp-trickle-latest'],
    ]).toEqual([200, '', 'terminated', '1', '1']);
    const told = await writer.answer();
    expect([told.status, told.headers['lp-trickle-closed'], told.headers['lp-trickle-seq'], told.headers.connection]).toEqual([
      200,
      'terminated',
      '1',
      'close',
    ]);
    expect((await bench.ask('GET', '/trickle/c/0')).status).toBe(404);
    expect((await bench.ask('GET', '/trickle/c')).status).toBe(404);
    expect((await bench.ask('DELETE', '/trickle/c')).status).toBe(400);
  });

  it('give a reader that is behind the rest before they end', async () => {
    await setUp();
    for (const seq of [0, 1, 2]) await bench.put(seq, `s${seq}`);
    await bench.ask('GET', '/trickle/c/0');
    const ending = bench.ask('DELETE', '/trickle/c');
    await eventually(() => bench.channel.draining);
    expect((await bench.put(3, 'late')).status).toBe(404);
    const tail = [await bench.ask('GET', '/trickle/c/1'), await bench.ask('GET', '/trickle/c/2')];
    expect(tail.map(({ body }) => body)).toEqual(['s1', 's2']);
    expect((await bench.ask('GET', '/trickle/c/3')).headers['lp-trickle-closed']).toBe('terminated');
    expect((await ending).status).toBe(200);
  });

  it('end without a write for the idle time', async () => {
    const time = { nowMs: 0 };
    await setUp({ clock: () => time.nowMs });
    const reader = await bench.get(0);
    time.nowMs = 300_001;
    expect((await reader.answer()).headers['lp-trickle-closed']).toBe('terminated');
  });
});

describe('DELETE of a segment', () => {
  it('releases its readers and its waiting publisher, and moves the next write', async () => {
    await setUp();
    const reader = await bench.get(0);
    const writer = await bench.post(0);
    expect((await bench.ask('DELETE', '/trickle/c/0')).status).toBe(200);
    const seen = await reader.answer();
    expect([seen.status, seen.body, seen.headers['lp-trickle-latest'], seen.headers['lp-trickle-closed']]).toEqual([
      200,
      '',
      '1',
      undefined,
    ]);
    const told = await writer.answer();
    expect([told.status, told.headers.connection]).toEqual([200, 'close']);
  });

  it('answers 400 outside the window and 404 without a channel', async () => {
    await setUp();
    for (const seq of ['0', '-1', 'x']) expect((await bench.ask('DELETE', `/trickle/c/${seq}`)).status).toBe(400);
    expect((await bench.ask('DELETE', '/trickle/nobody/0')).status).toBe(404);
  });
});

describe('the relay', () => {
  it('stands under its base path, and says 404 and 405 to the rest', async () => {
    await setUp({ basePath: 'ai/trickle' });
    bench.relay.hub.create({ name: 'd', mimeType: 'x' }).write(0).end();
    expect((await bench.ask('GET', '/ai/trickle/d/next')).body).toBe('1');
    for (const path of ['/trickle/d/next', '/ai/trickle/', '/ai/trickle/d/0/1', '/ai/trickle/a%2fb/0', '/']) {
      expect((await bench.ask('GET', path)).status).toBe(404);
    }
    expect((await bench.ask('PUT', '/ai/trickle/d/0', 'Content-Length: 0\r\n')).status).toBe(405);
  });

  it('tells on `_changes` which channels come and go', async () => {
    await setUp({ changes: true });
    bench.relay.hub.end('c');
    const bodies = [(await bench.ask('GET', '/trickle/_changes/0')).body, (await bench.ask('GET', '/trickle/_changes/1')).body];
    expect(bodies).toEqual(['{"added":["c"]}', '{"removed":["c"]}']);
  });

  it('lets nobody who comes by the network write to `_changes`, or end it', async () => {
    await setUp({ changes: true });
    for (const [method, path, status] of [
      ['POST', '/trickle/_changes/0', 404],
      ['POST', '/trickle/_changes/-1', 404],
      ['DELETE', '/trickle/_changes/0', 404],
      ['DELETE', '/trickle/_changes', 400],
    ] as const) {
      expect([method, path, (await bench.ask(method, path)).status]).toEqual([method, path, status]);
    }
    expect((await bench.ask('GET', '/trickle/_changes/0')).body).toBe('{"added":["c"]}');
  });

  it('tells the recent past of a channel', async () => {
    await setUp();
    await bench.put(0, 'x');
    const { status, headers, body } = await bench.ask('GET', '/trickle/c/timeline');
    expect([status, headers['content-type'], headers['cache-control']]).toEqual([200, 'application/json', 'no-store']);
    expect(JSON.parse(body)).toMatchObject({
      channel: 'c',
      nextWrite: 1,
      segments: [{ seq: 0, bytes: 1, chunks: 1, end: 'closed', held: true }],
    });
    expect([(await bench.ask('POST', '/trickle/c/timeline')).status, (await bench.ask('GET', '/trickle/none/timeline')).status]).toEqual([
      405, 404,
    ]);
  });

  it('closes while readers and publishers wait, twice, and promptly', async () => {
    await setUp();
    const reader = await bench.get(0);
    const writer = await bench.post(0);
    await Promise.all([bench.relay.close(), bench.relay.close()]);
    expect((await reader.answer()).headers['lp-trickle-closed']).toBe('terminated');
    expect((await writer.answer()).headers['lp-trickle-closed']).toBe('terminated');
  });

  it('refuses headers beyond 8 KiB with 431', async () => {
    await setUp();
    expect((await bench.ask('GET', '/trickle/c/next', `X: ${'a'.repeat(9000)}\r\n`)).status).toBe(431);
  });
});
