import { afterEach, describe, expect, it } from '@jest/globals';
import { constants } from 'node:http2';
import type { Channel } from '@runnel/trickle-core';
import type { RelayOptions } from '../index.ts';
import { eventually } from '../testing/bench.ts';
import { data, FRAME, request, reset } from '../testing/http2-wire.ts';
import { TlsBench } from '../testing/tls-bench.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  while (cleanups.length > 0) await cleanups.pop()!();
});

async function setUp(options: RelayOptions = {}) {
  const bench = await TlsBench.start(options);
  cleanups.push(() => bench.close());
  const { channel, relay } = bench;
  return { bench, channel, relay, client: () => bench.client(), wire: () => bench.wire() };
}

describe('a GET over HTTP/2', () => {
  it('waits for the first byte, then brings headers and bytes as they come, and ends with the segment', async () => {
    const { channel, client } = await setUp();
    const http = client();
    const get = http.ask('GET', 'c/0');
    await eventually(() => channel.readers === 1);
    expect(get.headers).toBeNull();
    const post = http.post('c/0', { 'content-type': 'video/MP2T' });
    post.write('first ');
    await eventually(() => get.body === 'first ');
    expect(get.headers).toMatchObject({ ':status': 200, 'lp-trickle-seq': '0', 'content-type': 'video/MP2T', 'lp-trickle-size': '6' });
    expect(get.headers).not.toHaveProperty('connection');
    expect(get.headers).not.toHaveProperty('transfer-encoding');
    post.write('second');
    await eventually(() => get.body === 'first second');
    expect(get.whole).toBe(false);
    post.end();
    expect(await post.done()).toMatchObject({ status: 200, whole: true, resetCode: 0 });
    expect(post.headers!['lp-trickle-seq']).toBe('0');
    expect(await get.done()).toMatchObject({ whole: true, resetCode: 0, body: 'first second' });
    expect(channel.readers).toBe(0);
  });

  it('joins in the middle with what is there, its size and its age', async () => {
    const { client } = await setUp();
    const post = client().post('c/0');
    post.write('begin ');
    const http = client();
    const get = http.ask('GET', 'c/-2');
    await eventually(() => get.body === 'begin ');
    expect(get.headers).toMatchObject({
      'lp-trickle-size': '6',
      'lp-trickle-latest': '1',
      'lp-trickle-age': expect.stringMatching(/^\d+$/),
    });
    post.end('end');
    expect((await get.done()).body).toBe('begin end');
  });

  it('gets 470 for a segment that is not in the window, 404 for an unknown channel, 400 for a bad number', async () => {
    const { client } = await setUp();
    const http = client();
    await http.put('c/0', 'x');
    const gone = await http.ask('GET', 'c/7').done();
    expect(gone).toMatchObject({ status: 470, whole: true, body: 'Segment not in the window' });
    expect(gone.headers).toMatchObject({ 'lp-trickle-latest': '1', 'lp-trickle-seq': '7' });
    expect(await http.ask('GET', 'none/0').done()).toMatchObject({ status: 404, body: 'Stream not found' });
    expect(await http.ask('GET', 'c/01').done()).toMatchObject({ status: 400 });
    expect(await http.ask('HEAD', 'c/0').done()).toMatchObject({ status: 405, body: '' });
    expect((await http.ask('PUT', 'c/0').done()).headers).toMatchObject({ ':status': 405, allow: 'GET, POST, DELETE' });
  });

  it('gets an empty segment whole and empty', async () => {
    const { client } = await setUp();
    const http = client();
    const get = http.ask('GET', 'c/0');
    expect(await http.put('c/0', '')).toMatchObject({ status: 200 });
    expect(await get.done()).toMatchObject({ status: 200, body: '', whole: true });
    expect(get.headers).toMatchObject({ 'lp-trickle-seq': '0', 'lp-trickle-latest': '1' });
  });

  it('is told when the channel ends', async () => {
    const { channel, client } = await setUp();
    const http = client();
    const get = http.ask('GET', 'c/0');
    const post = http.post('c/1');
    await eventually(() => channel.readers === 1 && channel.writers === 1);
    expect(await http.ask('DELETE', 'c').done()).toMatchObject({ status: 200 });
    expect((await get.done()).headers).toMatchObject({ ':status': 200, 'lp-trickle-closed': 'terminated' });
    expect((await post.done()).headers).toMatchObject({ ':status': 200, 'lp-trickle-closed': 'terminated' });
    expect(await http.ask('GET', 'c/0').done()).toMatchObject({ status: 404 });
  });

  it('ends by a reset, and never as a whole, when the segment is cut: also for those who come later', async () => {
    const { channel, client, wire } = await setUp();
    const http = client();
    const get = http.ask('GET', 'c/0');
    const publisher = await wire();
    publisher.send(request(1, 'POST', '/trickle/c/0'), data(1, 'half'));
    await eventually(() => get.body === 'half');
    publisher.close();
    expect(await get.done()).toMatchObject({ body: 'half', whole: false, resetCode: constants.NGHTTP2_INTERNAL_ERROR });
    expect(await http.ask('GET', 'c/0').done()).toMatchObject({ body: 'half', whole: false, resetCode: constants.NGHTTP2_INTERNAL_ERROR });
    const later = await wire();
    later.send(request(1, 'GET', '/trickle/c/0', { endStream: true }));
    await later.until((seen) => seen.of(FRAME.rstStream).length === 1, 'reset');
    expect(later.of(FRAME.data).every((frame) => (frame.flags & 1) === 0)).toBe(true);
    expect(channel.readers).toBe(0);
  });

  it('costs a bounded buffer when its client does not read, is reset when the segment leaves the window, and finds the live edge by 470', async () => {
    const { channel, client, wire } = await setUp();
    const slow = await wire();
    // Frames are read, but no window is given back: 64 KiB and no more.
    slow.send(request(1, 'GET', '/trickle/c/0', { endStream: true }));
    const http = client();
    const fast = http.ask('GET', 'c/0');
    await eventually(() => channel.readers === 2);
    const writer = channel.write(0);
    for (let i = 0; i < 64; i += 1) writer.write(Buffer.alloc(64 * 1024, 'x'));
    writer.end();
    expect((await fast.done()).body).toHaveLength(64 * 64 * 1024);
    const taken = channel.counters.bytesOut - 64 * 64 * 1024;
    expect(taken).toBeLessThanOrEqual(256 * 1024);
    for (let seq = 1; seq <= 6; seq += 1) channel.write(seq).end();
    channel.sweep(Date.now() + 5000);
    await slow.until((seen) => seen.of(FRAME.rstStream).length === 1, 'reset');
    expect(slow.of(FRAME.data).reduce((sum, frame) => sum + frame.payload.length, 0)).toBeLessThanOrEqual(65_535);
    expect(slow.of(FRAME.data).every((frame) => (frame.flags & 1) === 0)).toBe(true);
    slow.send(request(3, 'GET', '/trickle/c/0', { endStream: true }));
    await slow.until((seen) => seen.of(FRAME.headers).some((frame) => frame.stream === 3), 'answer');
    expect(channel.readers).toBe(0);
  });

  it('is reset when its client takes nothing for too long, also of a segment that is whole and fits the buffer', async () => {
    const { relay, channel, wire } = await setUp({ bounds: { stallMs: 200 } });
    channel.write(0).end();
    const writer = channel.write(1);
    writer.write(Buffer.alloc(100_000));
    writer.end();
    const slow = await wire();
    slow.send(request(1, 'GET', '/trickle/c/1', { endStream: true }));
    await slow.until((seen) => seen.of(FRAME.rstStream).length === 1, 'reset');
    expect(relay.counters.stalled).toBe(1);
    await eventually(() => relay.http2Streams === 0);
  });

  it('frees the reader when its client gives up', async () => {
    const { channel, client } = await setUp();
    const http = client();
    const get = http.ask('GET', 'c/0');
    await eventually(() => channel.readers === 1);
    get.reset(constants.NGHTTP2_CANCEL);
    await eventually(() => channel.readers === 0);
    const other = http.ask('GET', 'c/0');
    await eventually(() => channel.readers === 1);
    http.close();
    await eventually(() => channel.readers === 0);
    await other.done();
  });
});

describe('a POST over HTTP/2', () => {
  it.each([
    ['NO_ERROR', constants.NGHTTP2_NO_ERROR],
    ['INTERNAL_ERROR', constants.NGHTTP2_INTERNAL_ERROR],
    ['CANCEL', constants.NGHTTP2_CANCEL],
  ])('that is reset with %s in the middle cuts the segment', async (_name, code) => {
    const { channel, wire } = await setUp();
    const publisher = await wire();
    publisher.send(request(1, 'POST', '/trickle/c/0'), data(1, 'half'));
    await eventually(() => channel.counters.bytesIn === 4);
    publisher.send(reset(1, code));
    await eventually(() => channel.counters.cuts === 1);
    publisher.send(request(3, 'POST', '/trickle/c/1'), data(3, 'half'), reset(3, code));
    await eventually(() => channel.writers === 0);
    const { reader } = channel.read(1) as { reader: { segment: { end: string | null } } };
    expect(reader.segment.end).not.toBe('closed');
    const whole = await wire();
    whole.send(request(1, 'POST', '/trickle/c/5'), data(1, 'all', { endStream: true }));
    await whole.until((seen) => seen.of(FRAME.headers).length === 1, 'answer');
    expect(channel.counters.cuts).toBeLessThanOrEqual(2);
  });

  it('that is reset before its first byte changes nothing: the next one succeeds', async () => {
    const { channel, client, wire } = await setUp();
    const publisher = await wire();
    publisher.send(request(1, 'POST', '/trickle/c/0'));
    await eventually(() => channel.writers === 1);
    publisher.send(reset(1, constants.NGHTTP2_CANCEL));
    await eventually(() => channel.writers === 0);
    const http = client();
    expect(await http.put('c/0', 'x')).toMatchObject({ status: 200 });
    expect(await http.ask('GET', 'c/0').done()).toMatchObject({ body: 'x', whole: true });
  });

  it('hears 100 from time to time while it waits for its first byte, and nothing more after it', async () => {
    const { channel, client } = await setUp({ continueIntervalMs: 100 });
    const post = client().post('c/0');
    await eventually(() => post.interim.length >= 3);
    post.write('x');
    await eventually(() => channel.counters.bytesIn === 1);
    const heard = post.interim.length;
    // Two looks at the clock by the relay.
    await new Promise((resolve) => setTimeout(resolve, 2500));
    expect(post.interim.length).toBeLessThanOrEqual(heard + 1);
    expect(new Set(post.interim)).toEqual(new Set([100]));
    post.end();
    expect(await post.done()).toMatchObject({ status: 200 });
  });

  it('gives way to another one of the same number, and is answered without a body of its own', async () => {
    const { channel, client } = await setUp();
    const http = client();
    const older = http.post('c/0');
    await eventually(() => channel.writers === 1);
    expect(await http.put('c/0', 'new')).toMatchObject({ status: 200 });
    expect(await older.done()).toMatchObject({ status: 200, whole: true });
    expect(await http.ask('GET', 'c/0').done()).toMatchObject({ body: 'new', whole: true });
  });

  it('at -1 gets a segment of its own, however many come at once', async () => {
    const { client } = await setUp();
    const http = client();
    const posts = Array.from({ length: 20 }, (_, index) => {
      const call = http.post('c/-1');
      call.end(`body ${index}`);
      return call.done();
    });
    const numbers = (await Promise.all(posts)).map((post) => Number(post.headers!['lp-trickle-seq']));
    expect([...numbers].sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, index) => index));
  });

  it('to an unknown channel is answered before its body, which the client is asked to keep', async () => {
    const { client } = await setUp();
    const post = client().post('none/0');
    post.write('x');
    expect(await post.done()).toMatchObject({ status: 404, body: 'Stream not found', resetCode: 0 });
  });

  it('that grows too large is 413, and its segment is cut', async () => {
    const { relay, channel, client } = await setUp();
    const http = client();
    const post = http.post('c/0');
    const body = Buffer.alloc(1024 * 1024);
    for (let i = 0; i < 17; i += 1) post.write(body);
    expect(await post.done()).toMatchObject({ status: 413 });
    expect(channel.counters.cuts).toBe(1);
    expect(relay.counters.tooLarge).toBe(1);
    expect(await http.put('c/1', 'x')).toMatchObject({ status: 200 });
  });

  it('without a first byte, or without a further one, is 408 after the same time as over HTTP/1.1', async () => {
    const { relay, channel, client } = await setUp({ bounds: { firstByteMs: 300, interByteMs: 300 } });
    const http = client();
    const silent = http.post('c/0');
    const stuck = http.post('c/1');
    stuck.write('x');
    expect(await silent.done()).toMatchObject({ status: 408 });
    expect(await stuck.done()).toMatchObject({ status: 408 });
    expect(channel.counters.cuts).toBe(1);
    expect(relay.counters.bodyTimeouts).toBe(2);
  });
});

describe('an HTTP/2 connection', () => {
  it('carries both directions and all channels of a session at once', async () => {
    const { relay, client } = await setUp();
    relay.hub.create({ name: 'd', mimeType: 'text/plain' });
    const http = client();
    const gets = ['c', 'd'].flatMap((name) =>
      Array.from({ length: 2 }, (_, seq) => ({ name, seq, call: http.ask('GET', `${name}/${seq}`) })),
    );
    for (const seq of [0, 1]) for (const name of ['c', 'd']) await http.put(`${name}/${seq}`, `${name}${seq}`);
    for (const { name, seq, call } of gets) expect((await call.done()).body).toBe(`${name}${seq}`);
    expect(relay.http2Counters.connections).toBe(1);
    await eventually(() => relay.http2Streams === 0);
  });

  it('loses, mixes and reorders nothing of many segments in parallel', async () => {
    const { client } = await setUp();
    const [subscriber, publisher] = [client(), client()];
    const bodyOf = (seq: number) =>
      Array.from({ length: 40 }, (_, index) => `${seq}:${index}:${'x'.repeat((seq * 97 + index * 31) % 5000)};`);
    for (let seq = 0; seq < 50; seq += 1) {
      const get = subscriber.ask('GET', `c/${seq}`);
      const post = publisher.post(`c/${seq}`);
      for (const piece of bodyOf(seq)) post.write(piece);
      post.end();
      expect(await post.done()).toMatchObject({ status: 200 });
      const { body, whole } = await get.done();
      const expected = bodyOf(seq).join('');
      // Not in one expectation, which would print it.
      expect({ whole, same: body === expected, length: body.length }).toEqual({ whole: true, same: true, length: expected.length });
    }
  });

  it('takes as many requests as it announces and refuses more, so that they may be sent again', async () => {
    const { relay, channel, wire } = await setUp({ http2: { maxStreamsPerConnection: 4, maxStreams: 6 } });
    const first = await wire();
    first.send(...Array.from({ length: 5 }, (_, index) => request(1 + 2 * index, 'GET', '/trickle/c/0', { endStream: true })));
    await first.until((seen) => seen.of(FRAME.rstStream).length === 1, 'refusal');
    const second = await wire();
    second.send(...Array.from({ length: 4 }, (_, index) => request(1 + 2 * index, 'GET', '/trickle/c/0', { endStream: true })));
    await second.until((seen) => seen.of(FRAME.rstStream).length === 2, 'refusals');
    for (const frame of [...first.of(FRAME.rstStream), ...second.of(FRAME.rstStream)]) {
      expect(frame.payload.readUInt32BE()).toBe(constants.NGHTTP2_REFUSED_STREAM);
    }
    expect(channel.readers).toBe(6);
    expect(relay.http2Counters.refusedStreams).toBe(2);
    first.close();
    await eventually(() => relay.http2Streams === 2);
  });

  it('answers 431 to headers beyond the bound', async () => {
    const { relay, client } = await setUp();
    const http = client();
    expect(await http.ask('GET', `c/0?${'x'.repeat(8200)}`).done()).toMatchObject({ status: 431 });
    const long = await http.ask('GET', 'c/9', { 'x-long': 'y'.repeat(9000) }).done();
    expect(long).toMatchObject({ status: 431 });
    expect(relay.counters.headersTooLarge).toBe(2);
    expect(await http.ask('GET', 'c/next').done()).toMatchObject({ status: 200, body: '0' });
  });

  it('gives up the reader of a GET that was decided after its client had left', async () => {
    const { promise, resolve } = Promise.withResolvers<Channel>();
    const { relay, client } = await setUp({ upstream: { open: () => promise } });
    const http = client();
    const left = http.ask('GET', 'far/0');
    const stayed = http.ask('GET', 'far/0');
    await eventually(() => relay.http2Streams === 2);
    left.reset(constants.NGHTTP2_CANCEL);
    await eventually(() => relay.http2Streams === 1);
    const far = relay.hub.create({ name: 'far', mimeType: 'text/plain' });
    resolve(far);
    await eventually(() => far.readers === 1);
    await http.put('far/0', 'x');
    expect(await stayed.done()).toMatchObject({ body: 'x', whole: true });
    expect(far.readers).toBe(0);
  });

  it('asks for HTTP/1.1 where a request belongs to another service on the port, which takes connections', async () => {
    const { client } = await setUp({ foreign: (socket) => socket.destroy() });
    const call = client().ask('GET', '/livez');
    expect(await call.done()).toMatchObject({ status: undefined, resetCode: constants.NGHTTP2_HTTP_1_1_REQUIRED });
  });

  it('that is idle is ended; one with a request that waits is not', async () => {
    const { relay, channel, client } = await setUp({ bounds: { keepAliveMs: 300 } });
    const [idle, waiting] = [client(), client()];
    await idle.ask('GET', 'c/next').done();
    const get = waiting.ask('GET', 'c/0');
    await eventually(() => idle.session.destroyed);
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(relay.counters.idleTimeouts).toBe(1);
    expect(channel.readers).toBe(1);
    await waiting.put('c/0', 'x');
    expect(await get.done()).toMatchObject({ body: 'x', whole: true });
  });

  it('tells clients to go when the relay closes, and lets what is under way come to its end', async () => {
    const { relay, channel, client } = await setUp();
    const http = client();
    let goaway: number | null = null;
    http.session.on('goaway', (code) => (goaway = code));
    const get = http.ask('GET', 'c/0');
    await eventually(() => channel.readers === 1);
    await relay.close();
    expect((await get.done()).headers).toMatchObject({ ':status': 200, 'lp-trickle-closed': 'terminated' });
    await eventually(() => http.session.destroyed);
    expect(goaway).toBe(constants.NGHTTP2_NO_ERROR);
  });
});
