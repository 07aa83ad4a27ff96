import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Channel, ReadSegment } from '@runnel/trickle-core';
import { eventually } from '../testing/bench.ts';
import { type Edge, put, read, Stage, textOf } from '../testing/edges.ts';
import { Wire } from '../testing/wire.ts';

const MIME = 'video/MP2T';

describe('a channel behind other edges', () => {
  let stage: Stage;
  let owner: Edge;
  let channel: Channel;
  beforeEach(async () => {
    stage = new Stage();
    owner = await stage.edge();
    channel = owner.relay.hub.create({ name: 'c', mimeType: MIME });
  });
  afterEach(() => stage.close());

  const behind = (edge: { url: string }, options: Parameters<Stage['edge']>[0] = {}) =>
    stage.edge({ upstreams: `*=${edge.url}`, ...options });

  /** Waits until the owner has a reader that waits for a segment. */
  const awaited = (seq: number) =>
    eventually(() => channel.segments.some((segment) => segment.seq === seq && segment.readersSeen > 0 && segment.end === null));

  it('has the same numbers, bytes and MIME type two edges further', async () => {
    for (let seq = 0; seq < 7; seq += 1) put(channel, `s${seq}`);
    const far = await behind(await behind(owner));
    const subscriber = stage.subscriber(far, 'current');
    expect(await read(subscriber)).toEqual([6, 's6']);
    const next = read(subscriber);
    await awaited(7);
    put(channel, 's7');
    expect(await next).toEqual([7, 's7']);
    expect(far.relay.hub.get('c')?.mimeType).toBe(MIME);
  });

  it('carries 3 MiB in pieces unchanged', async () => {
    const edge = await behind(await behind(owner));
    const subscriber = stage.subscriber(edge, 0);
    const whole = Buffer.alloc(3 * 1024 * 1024);
    for (let index = 0; index < whole.length; index += 1) whole[index] = (index * 31) % 251;
    const pending = subscriber.next();
    await awaited(0);
    const writer = channel.write(0);
    for (let at = 0; at < whole.length; at += 50_001) {
      writer.write(whole.subarray(at, at + 50_001));
      if (at % 7 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    writer.end();
    const pieces: Uint8Array[] = [];
    for await (const piece of ((await pending) as ReadSegment).bytes) pieces.push(piece);
    expect(Buffer.concat(pieces).equals(whole)).toBe(true);
  });

  it('gives the first bytes while the segment is still being written', async () => {
    const far = await behind(await behind(owner));
    const subscriber = stage.subscriber(far, 'next');
    const pending = subscriber.next();
    await awaited(0);
    const writer = channel.write(0);
    writer.write(Buffer.from('early'));
    const segment = (await pending) as ReadSegment;
    const iterator = segment.bytes[Symbol.asyncIterator]();
    expect(Buffer.from((await iterator.next()).value).toString()).toBe('early');
    writer.write(Buffer.from('late'));
    expect(Buffer.from((await iterator.next()).value).toString()).toBe('late');
    writer.end();
    expect((await iterator.next()).done).toBe(true);
  });

  it('gives a segment while the one before is still being written', async () => {
    const edge = await behind(owner);
    const subscriber = stage.subscriber(edge, 0);
    const pending = subscriber.next();
    await awaited(0);
    const slow = channel.write(0);
    slow.write(Buffer.from('slow '));
    const first = (await pending) as ReadSegment;
    await awaited(1);
    put(channel, 'one', 1);
    expect(await read(subscriber)).toEqual([1, 'one']);
    slow.write(Buffer.from('tail'));
    slow.end();
    expect(await textOf(first)).toBe('slow tail');
  });

  it('is read once from its owner, however many readers come at once', async () => {
    const edge = await behind(owner);
    const subscribers = Array.from({ length: 200 }, () => stage.subscriber(edge, 'next'));
    const reading = Promise.all(subscribers.map(read));
    await eventually(() => edge.relay.hub.get('c')?.readers === 200);
    await awaited(0);
    expect(channel.readers).toBe(1);
    put(channel, 'x');
    const all = await reading;
    expect(all.every((one) => JSON.stringify(one) === '[0,"x"]')).toBe(true);
    expect([channel.counters.bytesOut, edge.upstream.counters.opened]).toEqual([1, 1]);
  });

  it('starts at the segment that its first reader asks for', async () => {
    for (let seq = 0; seq < 7; seq += 1) put(channel, `s${seq}`);
    for (const [start, first] of [
      [3, 3],
      ['current', 6],
      [-4, 4],
      [-100, 0],
    ] as const) {
      const edge = await behind(owner);
      expect(await read(stage.subscriber(edge, start))).toEqual([first, `s${first}`]);
    }
  });

  it('tells who asks for what has left the window where the live edge is', async () => {
    for (let seq = 0; seq < 20; seq += 1) put(channel, 'x');
    owner.relay.hub.sweep(Date.now() + 60_000);
    const edge = await behind(owner);
    expect(await stage.subscriber(edge, 3).next()).toEqual({ kind: 'gap', from: 3, to: 20, reason: 'window' });
    const wire = await Wire.to(edge.url);
    wire.request('GET', '/trickle/c/3');
    expect(await wire.answer()).toMatchObject({ status: 470, headers: { 'lp-trickle-latest': '20', 'lp-trickle-seq': '3' } });
    wire.close();
  });

  it('is cut where it was cut, after the bytes that came, and goes on', async () => {
    const edge = await behind(await behind(owner));
    const subscriber = stage.subscriber(edge, 0);
    const pending = subscriber.next();
    await awaited(0);
    const writer = channel.write(0);
    writer.write(Buffer.from('half'));
    const segment = (await pending) as ReadSegment;
    writer.abort();
    await expect(textOf(segment)).rejects.toMatchObject({ code: 'segment_cut' });
    put(channel, 'whole', 1);
    expect(await read(subscriber)).toEqual([1, 'whole']);
  });

  it('keeps empty segments empty', async () => {
    const edge = await behind(await behind(owner));
    const subscriber = stage.subscriber(edge, 0);
    const first = read(subscriber);
    await awaited(0);
    channel.write(0).end();
    expect(await first).toEqual([0, '']);
    put(channel, 'x');
    expect(await read(subscriber)).toEqual([1, 'x']);
  });

  it('has a gap where one is, told to who waits in it and to who asks for it later', async () => {
    const far = await behind(await behind(owner));
    put(channel, 'zero');
    const subscriber = stage.subscriber(far, 0);
    expect(await read(subscriber)).toEqual([0, 'zero']);
    const waiting = subscriber.next();
    await awaited(1);
    channel.skipTo(4);
    expect(await waiting).toEqual({ kind: 'gap', from: 1, to: 4, reason: 'window' });
    const wire = await Wire.to(far.url);
    wire.request('GET', '/trickle/c/2');
    expect(await wire.answer()).toMatchObject({ status: 470, headers: { 'lp-trickle-latest': '4' } });
    wire.close();
    const next = read(subscriber);
    await awaited(4);
    put(channel, 'four');
    expect(await next).toEqual([4, 'four']);
    expect(far.upstream.counters.gaps).toBe(1);
  });

  it('ends for all its readers when it ends, after the rest of it', async () => {
    const middle = await behind(owner);
    const far = await behind(middle);
    for (let seq = 0; seq < 4; seq += 1) put(channel, `s${seq}`);
    const subscriber = stage.subscriber(far, 1);
    expect(await read(subscriber)).toEqual([1, 's1']);
    channel.end({ drainMs: 1000 });
    expect([await read(subscriber), await read(subscriber), await read(subscriber)]).toEqual([[2, 's2'], [3, 's3'], null]);
    await eventually(() => middle.relay.hub.size === 0 && far.relay.hub.size === 0 && far.upstream.mirrors === 0);
  });

  it('follows a publisher that starts anew: older segments end, the new one is read', async () => {
    const edge = await behind(owner);
    const subscriber = stage.subscriber(edge, 0);
    const pending = subscriber.next();
    await awaited(0);
    channel.write(0).write(Buffer.from('unfinished'));
    const segment = (await pending) as ReadSegment;
    const fresh = channel.write(1, { reset: true });
    fresh.write(Buffer.from('fresh'));
    fresh.end();
    expect([await textOf(segment), await read(subscriber)]).toEqual(['unfinished', [1, 'fresh']]);
  });

  it('ends upstream a while after the last reader has left, and not before', async () => {
    const edge = await behind(owner, { lingerMs: 120 });
    const subscriber = stage.subscriber(edge, 'next');
    const pending = subscriber.next();
    await awaited(0);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect([edge.relay.hub.size, channel.readers]).toEqual([1, 1]);
    await subscriber.close();
    await pending;
    await eventually(() => edge.relay.hub.size === 0 && channel.readers === 0 && edge.upstream.mirrors === 0);
    const again = read(stage.subscriber(edge, 'next'));
    await eventually(() => channel.readers === 1);
    put(channel, 'x');
    expect(await again).toEqual([0, 'x']);
  });

  it('is for reading alone away from its owner', async () => {
    const edge = await behind(owner, { relay: { creation: 'explicit' } });
    put(channel, 'x');
    expect(await read(stage.subscriber(edge, 0))).toEqual([0, 'x']);
    const ask = async (method: string, path: string) => {
      const wire = await Wire.to(edge.url);
      if (method === 'POST') wire.post(path);
      else wire.request(method, path);
      wire.endBody();
      const { status } = await wire.answer();
      wire.close();
      return status;
    };
    expect([await ask('POST', '/trickle/c/1'), await ask('DELETE', '/trickle/c/0'), await ask('DELETE', '/trickle/c')]).toEqual([
      404, 404, 400,
    ]);
    put(channel, 'y');
    expect(await read(stage.subscriber(edge, 1))).toEqual([1, 'y']);
  });
});

describe('edges that ask each other', () => {
  const stage = new Stage();
  afterEach(() => stage.close());

  it('find out at once that nobody has the channel', async () => {
    const { server, url } = await stage.server(() => {});
    server.close();
    server.closeAllConnections();
    const { port } = new URL(url);
    const one = await stage.edge({ upstreams: `*=http://127.0.0.1:${port}/trickle/`, notFoundMs: 1 });
    // The second one takes the place that the first one's table names.
    const two = await stage.edge({ upstreams: `*=${one.url}`, notFoundMs: 1 });
    const network = await stage.server((req, res) => {
      const headers = { 'Lp-Trickle-Via': String(req.headers['lp-trickle-via']) };
      fetch(new URL(req.url!, two.url), { headers }).then(
        (answer) => res.writeHead(answer.status).end(),
        () => res.destroy(),
      );
    }, Number(port));
    expect(network.url).toBe(url);
    const started = performance.now();
    const answers = await Promise.all([fetch(`${one.url}c/0`), fetch(`${two.url}c/0`)]);
    expect(answers.map(({ status }) => status)).toEqual([508, 508]);
    expect(performance.now() - started).toBeLessThan(4000);
    expect(one.upstream.mirrors + two.upstream.mirrors).toBe(0);
  });

  it('go no further than four', async () => {
    let edge = await stage.edge();
    const owner = edge;
    owner.relay.hub.create({ name: 'c', mimeType: MIME });
    for (let hop = 0; hop < 4; hop += 1) edge = await stage.edge({ upstreams: `*=${edge.url}` });
    const fifth = await stage.edge({ upstreams: `*=${edge.url}` });
    expect((await fetch(`${fifth.url}c/next`)).status).toBe(508);
    expect((await fetch(`${edge.url}c/next`)).status).toBe(200);
  });
});
