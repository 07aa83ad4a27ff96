import { afterEach, describe, expect, it } from '@jest/globals';
import type { RelayOptions } from '../index.ts';
import { eventually, WireBench } from '../testing/bench.ts';

let bench: WireBench;
/** Time that the relay's clock is ahead of ours. Bounds in time are so long in these tests that only this reaches them. */
let aheadMs = 0;
const LONG_MS = 1_000_000;
async function setUp(options: RelayOptions = {}) {
  aheadMs = 0;
  const bounds = {
    headerMs: LONG_MS,
    keepAliveMs: LONG_MS,
    firstByteMs: LONG_MS,
    interByteMs: LONG_MS,
    stallMs: LONG_MS,
    ...options.bounds,
  };
  const limits = { idleMs: 1000 * LONG_MS, ...options.limits };
  bench = new WireBench({ continueIntervalMs: 1000 * LONG_MS, ...options, bounds, limits, clock: () => Date.now() + aheadMs });
  return bench.start();
}
afterEach(() => bench.close());

const counters = () => bench.relay.counters;
/** Two looks of the relay at all of its connections, in which nothing is to happen. */
const looks = () => new Promise((resolve) => setTimeout(resolve, 1200));
/** Lets time pass, behind what was sent and before what is sent next. */
async function pass(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 50));
  aheadMs += ms;
  // Until the relay has looked at its clock.
  await new Promise((resolve) => setTimeout(resolve, 300));
}

describe('the size of request line and headers', () => {
  it.each([
    ['that end', `GET /trickle/c/next HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(8192)}\r\n\r\n`],
    ['that do not end', `GET /trickle/c/next HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(8192)}`],
    ['that are one long line', `GET /${'a'.repeat(9000)}`],
    ['that are no HTTP', '\u0016\u0003\u0001'.repeat(3000)],
  ])('is bounded: 431 to headers %s', async (_name, text) => {
    await setUp();
    const wire = await bench.wire();
    wire.send(text);
    const { status, headers } = await wire.answer();
    expect([status, headers.connection, await wire.gone(), counters().headersTooLarge]).toEqual([431, 'close', 'end', 1]);
  });

  it('may be all that is allowed, also where that is more than may be sent ahead', async () => {
    await setUp({ bounds: { headerBytes: 200_000 } });
    const wire = await bench.wire();
    const head = 'GET /trickle/c/next HTTP/1.1\r\nHost: x\r\nX: ';
    wire.send(head);
    for (let count = 0; count < 19; count += 1) {
      wire.send('a'.repeat(10_000));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    wire.send(`${'b'.repeat(10_000 - head.length)}\r\n\r\n`);
    expect((await wire.answer()).status).toBe(200);
  });
});

describe('the time that headers take', () => {
  it('is bounded: 408', async () => {
    await setUp({ bounds: { headerMs: 10_000 } });
    const wire = await bench.wire();
    wire.send('GET /trickle/c/next HTTP/1.1\r\nHo');
    await looks();
    expect(wire.ended).toBeNull();
    aheadMs = 20_000;
    const { status, headers } = await wire.answer();
    expect([status, headers.connection, counters().headerTimeouts]).toEqual([408, 'close', 1]);
  });

  it('begins with their first byte, not with their latest', async () => {
    await setUp({ bounds: { headerMs: 100_000 } });
    const wire = await bench.wire();
    for (const piece of ['GET /trickle', '/c/next HT', 'TP/1.1\r\nHo']) {
      wire.send(piece);
      await pass(40_000);
    }
    expect((await wire.answer()).status).toBe(408);
  });

  it('begins anew with the next request', async () => {
    await setUp({ bounds: { headerMs: 100_000 } });
    const wire = await bench.wire();
    for (let count = 0; count < 3; count += 1) {
      wire.send('GET /trickle/c/next HT');
      await pass(60_000);
      wire.send('TP/1.1\r\nHost: x\r\n\r\n');
      expect((await wire.answer()).status).toBe(200);
    }
  });
});

describe('a connection without a request', () => {
  it('is closed after the time for headers', async () => {
    await setUp({ bounds: { headerMs: 10_000 } });
    const wire = await bench.wire();
    await looks();
    expect(wire.ended).toBeNull();
    aheadMs = 20_000;
    expect([await wire.gone(), wire.text, counters().idleTimeouts]).toEqual(['end', '', 1]);
    await eventually(() => bench.relay.connections === 0);
  });

  it('is not kept by empty lines', async () => {
    await setUp({ bounds: { headerMs: 100_000 } });
    const wire = await bench.wire();
    for (const lines of ['\r\n', '\r\n\r\n', '\r', '\n\r\n']) {
      wire.send(lines);
      await pass(30_000);
    }
    await wire.gone();
    expect(counters().idleTimeouts + counters().headerTimeouts).toBe(1);
  });

  it('is kept longer behind an answer, and then closed', async () => {
    await setUp({ bounds: { headerMs: 10_000, keepAliveMs: 500_000 } });
    const wire = await bench.wire();
    wire.request('GET', '/trickle/c/next');
    await wire.answer();
    aheadMs = 400_000;
    await looks();
    expect(wire.ended).toBeNull();
    aheadMs = 600_000;
    expect([await wire.gone(), wire.text, counters().idleTimeouts]).toEqual(['end', '', 1]);
  });

  it('is no connection with a GET that waits, however long', async () => {
    await setUp({ bounds: { headerMs: 1000, keepAliveMs: 1000, stallMs: 1000 } });
    const wire = await bench.get(0);
    aheadMs = 100_000_000;
    await looks();
    await bench.put(0, 'late');
    expect((await wire.answer()).body).toBe('late');
  });
});

describe('a body that does not come', () => {
  it('is 408 without a first byte, and the segment stays open for the next POST', async () => {
    await setUp({ bounds: { firstByteMs: 100_000 } });
    const reader = await bench.get(0);
    const wire = await bench.post(0);
    aheadMs = 50_000;
    await looks();
    expect(wire.text).toBe('');
    aheadMs = 150_000;
    const { status, headers } = await wire.answer();
    expect([status, headers.connection, counters().bodyTimeouts, bench.channel.nextWrite]).toEqual([408, 'close', 1, 0]);
    await bench.put(0, 'again');
    expect((await reader.answer()).body).toBe('again');
  });

  it.each([
    ['chunked', 'Transfer-Encoding: chunked\r\n', '4\r\nhalf\r\n'],
    ['in a chunk', 'Transfer-Encoding: chunked\r\n', '8\r\nhalf'],
    ['with a length', 'Content-Length: 100\r\n', 'half'],
  ])('is 408 when it pauses in the middle, and the segment is cut: %s', async (_name, headers, body) => {
    await setUp({ bounds: { interByteMs: 100_000 } });
    const reader = await bench.get(0);
    const wire = await bench.wire();
    wire.request('POST', '/trickle/c/0', headers);
    wire.send(body);
    await reader.has('half');
    aheadMs = 50_000;
    await looks();
    expect(wire.text).toBe('');
    aheadMs = 150_000;
    expect([(await wire.answer()).status, await reader.gone(), counters().bodyTimeouts]).toEqual([408, 'reset', 1]);
    expect(bench.relay.hub.counters.cuts).toBe(1);
  });

  it('is no body of which a byte comes now and then', async () => {
    await setUp({ bounds: { interByteMs: 100_000 }, limits: { windowAgeMs: LONG_MS } });
    const wire = await bench.post(0);
    for (let count = 0; count < 4; count += 1) {
      wire.chunk('x');
      await eventually(() => bench.relay.hub.counters.bytesIn === count + 1);
      await pass(60_000);
    }
    wire.endBody();
    expect((await wire.answer()).status).toBe(200);
  });
});

describe('the size of a segment', () => {
  it.each([
    ['a length that says so', 'Content-Length: 11\r\n', '', 0],
    ['a chunk that says so', 'Transfer-Encoding: chunked\r\n', 'b\r\n', 0],
    ['a chunk that says so far beyond', 'Transfer-Encoding: chunked\r\n', 'ffffffff\r\n', 0],
    ['a chunk too many', 'Transfer-Encoding: chunked\r\n', '5\r\nabcde\r\n5\r\nfghij\r\n1\r\nk\r\n', 1],
    ['a part of a chunk too many', 'Transfer-Encoding: chunked\r\n', '5\r\nabcde\r\n6\r\nfghijk', 1],
    ['a last chunk too many', 'Transfer-Encoding: chunked\r\n', 'a\r\nabcdefghij\r\n1\r\nk\r\n0\r\n\r\n', 0],
  ])('is bounded: 413 to %s', async (_name, headers, body, cuts) => {
    await setUp({ limits: { segmentBytes: 10 } });
    const wire = await bench.wire();
    wire.request('POST', '/trickle/c/0', headers);
    for (const piece of body.split(/(?<=abcde\r\n)/)) {
      wire.send(piece);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const answer = await wire.answer();
    expect([answer.status, answer.headers.connection, await wire.gone()]).toEqual([413, 'close', 'end']);
    expect([counters().tooLarge, bench.relay.hub.counters.cuts]).toEqual([1, cuts]);
  });

  it('counts what all POSTs to it have sent', async () => {
    await setUp({ limits: { segmentBytes: 10 } });
    expect((await bench.put(0, '123456')).status).toBe(200);
    expect((await bench.put(0, '7890')).status).toBe(200);
    expect([(await bench.put(0, 'x')).status, counters().tooLarge]).toEqual([413, 1]);
  });
});

describe('the memory of all channels together', () => {
  it('is bounded: 507 and a cut segment, and there is room again when segments leave', async () => {
    await setUp({ limits: { hubBytes: 4000, windowBytes: 4000, segmentBytes: 4000 } });
    expect((await bench.put(0, 'x'.repeat(3000))).status).toBe(200);
    const wire = await bench.post(1);
    wire.chunk('y'.repeat(400));
    const reader = await bench.get(1);
    await reader.has('yyy');
    wire.chunk('z'.repeat(400));
    const { status, headers } = await wire.answer();
    expect([status, headers.connection, headers['retry-after'], await reader.gone()]).toEqual([507, 'close', '1', 'reset']);
    expect([counters().full, bench.relay.hub.counters.refusedForSpace]).toEqual([1, 1]);
    expect((await bench.ask('DELETE', '/trickle/c')).status).toBe(200);
    bench.relay.hub.create({ name: 'c', mimeType: 'a/b' });
    expect((await bench.put(0, 'x'.repeat(3000))).status).toBe(200);
  });

  it('is counted with the framing that came, so that tiny chunks are as dear as they are', async () => {
    await setUp();
    const wire = await bench.post(0);
    const body = '00000001\r\nx\r\n'.repeat(4000);
    wire.send(body);
    await eventually(() => bench.relay.hub.counters.bytesIn === 4000);
    expect(bench.relay.hub.heldBytes).toBeGreaterThanOrEqual(body.length);
  });
});

describe('how many there may be', () => {
  it('channels: 429', async () => {
    await setUp({ creation: 'explicit', limits: { maxChannels: 2 } });
    expect((await bench.ask('POST', '/trickle/second')).status).toBe(200);
    expect([(await bench.ask('POST', '/trickle/third')).status, counters().limited]).toEqual([429, 1]);
    expect((await bench.ask('POST', '/trickle/second')).status).toBe(200);
    await bench.ask('DELETE', '/trickle/second');
    expect((await bench.ask('POST', '/trickle/third')).status).toBe(200);
  });

  it('channels that a first POST makes: 429, and the connection ends before the body', async () => {
    await setUp({ creation: 'auto', limits: { maxChannels: 1 } });
    const wire = await bench.wire();
    wire.post('/trickle/second/0');
    const { status, headers } = await wire.answer();
    expect([status, headers.connection, counters().limited]).toEqual([429, 'close', 1]);
  });

  it('channels whose names begin with an underscore idle like all others', async () => {
    await setUp({ creation: 'explicit', changes: true, limits: { idleMs: LONG_MS } });
    await bench.ask('POST', '/trickle/_mine');
    aheadMs = 2 * LONG_MS;
    await eventually(() => bench.relay.hub.get('_mine') === undefined);
    expect(bench.relay.hub.get('_changes')).toBeDefined();
  });

  it('readers of a channel: 429, and the connection stays', async () => {
    await setUp({ limits: { maxReaders: 2 } });
    const first = await bench.get(0);
    await bench.get(0);
    const wire = await bench.wire();
    wire.request('GET', '/trickle/c/0');
    const { status, headers } = await wire.answer();
    expect([status, headers.connection, counters().limited]).toEqual([429, undefined, 1]);
    first.kill();
    await eventually(() => bench.channel.readers === 1);
    wire.request('GET', '/trickle/c/0');
    await eventually(() => bench.channel.readers === 2);
  });

  it('writers of a channel: 429, and the connection ends before the body', async () => {
    await setUp({ limits: { maxWriters: 2 } });
    await bench.post(0);
    const second = await bench.post(-1);
    const wire = await bench.wire();
    wire.post('/trickle/c/1');
    const { status, headers } = await wire.answer();
    expect([status, headers.connection, await wire.gone(), counters().limited]).toEqual([429, 'close', 'end', 1]);
    second.kill();
    await eventually(() => bench.channel.writers === 1);
    expect((await bench.put(1, 'x')).status).toBe(200);
  });

  it.each([
    ['in all', { maxConnections: 3 }, 503],
    ['of one address', { maxConnectionsPerAddress: 3 }, 429],
  ])('connections %s, and one that ends makes room', async (_name, bounds, status) => {
    await setUp({ bounds });
    const wires = [await bench.wire(), await bench.wire(), await bench.wire()];
    await eventually(() => bench.relay.connections === 3);
    const refused = await bench.wire();
    const { status: seen, headers } = await refused.answer();
    expect([seen, headers.connection, headers['retry-after'], await refused.gone()]).toEqual([status, 'close', '1', 'end']);
    expect([counters().refusedConnections, bench.relay.connections]).toEqual([1, 3]);
    wires[1].kill();
    await eventually(() => bench.relay.connections === 2);
    expect((await bench.ask('GET', '/trickle/c/next')).body).toBe('0');
  });
});
