import { afterEach, describe, expect, it } from '@jest/globals';
import {
  type Hub,
  localPublisher,
  localSubscriber,
  type OnGap,
  type Publisher,
  type ReadSegment,
  type Subscriber,
  type SubscribeStart,
} from '@runnel/trickle-core';
import { createPublisher, createRelay, createSubscriber, type Relay } from './index.ts';

/** One way to reach a channel of a hub. */
interface Adapter {
  publisher(name: string): Publisher;
  subscriber(name: string, start: SubscribeStart, onGap?: OnGap): Subscriber;
}

const MIME = 'video/MP2T';
const adapters: Record<string, (relay: Relay, url: string) => Adapter> = {
  'in process': ({ hub }) => ({
    publisher: (name) => localPublisher(hub, name),
    subscriber: (name, start, onGap) => localSubscriber(hub, name, { start, onGap }),
  }),
  'over HTTP': (_relay, url) => ({
    publisher: (name) => createPublisher({ url: url + name, mimeType: MIME }),
    subscriber: (name, start, onGap) => createSubscriber({ url: url + name, start, onGap }),
  }),
};

describe.each(Object.keys(adapters))('publisher and subscriber %s', (way) => {
  const cleanups: (() => Promise<void>)[] = [];
  afterEach(async () => {
    while (cleanups.length > 0) await cleanups.pop()!();
  });

  async function setUp(options: { channel?: string } = {}) {
    const relay = createRelay();
    cleanups.push(() => relay.close());
    const { url } = await relay.listen({ host: '127.0.0.1', port: 0 });
    const hub: Hub = relay.hub;
    if (options.channel !== '') hub.create({ name: 'c', mimeType: MIME });
    const adapter = adapters[way](relay, url);
    return {
      hub,
      /** A reader asks for "next" at a moment of its own: what is written before it has arrived is not its next. */
      readerAttached: async () => {
        while (hub.get('c')!.readers === 0) await new Promise((resolve) => setTimeout(resolve, 2));
      },
      publisher: () => track(adapter.publisher('c')),
      subscriber: (start: SubscribeStart, onGap?: OnGap) => track(adapter.subscriber('c', start, onGap)),
    };
  }

  function track<T extends { close(): Promise<void> }>(thing: T): T {
    cleanups.push(() => thing.close());
    return thing;
  }

  it('carries segments in order, whole, with their numbers', async () => {
    const { publisher, subscriber } = await setUp();
    const out = publisher();
    const into = subscriber(0);
    for (const text of ['one', 'two', 'three']) await publish(out, text);
    expect([await read(into), await read(into), await read(into)]).toEqual([
      [0, 'one'],
      [1, 'two'],
      [2, 'three'],
    ]);
  });

  it('gives the first bytes of a segment before its end is written', async () => {
    const { publisher, subscriber, readerAttached } = await setUp();
    const writer = await publisher().open();
    const into = subscriber('next');
    const pending = into.next();
    await readerAttached();
    await writer.write(bytes('early'));
    const segment = (await pending) as ReadSegment;
    const iterator = segment.bytes[Symbol.asyncIterator]();
    expect(text((await iterator.next()).value)).toBe('early');
    await writer.write(bytes('late'));
    expect(text((await iterator.next()).value)).toBe('late');
    await writer.end();
    expect((await iterator.next()).done).toBe(true);
  });

  it('starts at the current segment, or at a number', async () => {
    const { publisher, subscriber } = await setUp();
    const out = publisher();
    for (const text of ['zero', 'one']) await publish(out, text);
    expect(await read(subscriber('current'))).toEqual([1, 'one']);
    expect(await read(subscriber(0))).toEqual([0, 'zero']);
  });

  it('starts at the next segment, past those that are there', async () => {
    const { publisher, subscriber, readerAttached } = await setUp();
    const out = publisher();
    for (const text of ['zero', 'one']) await publish(out, text);
    const next = read(subscriber('next'));
    await readerAttached();
    await publish(out, 'two');
    expect(await next).toEqual([2, 'two']);
  });

  it('gives an empty segment as one without bytes, and goes on', async () => {
    const { publisher, subscriber } = await setUp();
    const out = publisher();
    const into = subscriber(0);
    await (await out.open()).end();
    await publish(out, 'full');
    expect([await read(into), await read(into)]).toEqual([
      [0, ''],
      [1, 'full'],
    ]);
  });

  it('tells a gap exactly and goes on at the live edge', async () => {
    const { publisher, subscriber, hub } = await setUp();
    const out = publisher();
    for (let seq = 0; seq < 9; seq += 1) await publish(out, `s${seq}`);
    hub.sweep(Date.now() + 60_000);
    const into = subscriber(1);
    expect(await into.next()).toEqual({ kind: 'gap', from: 1, to: 9, reason: 'window' });
    const next = read(into);
    await publish(out, 's9');
    expect(await next).toEqual([9, 's9']);
  });

  it('tells a gap to who waits for a segment in it', async () => {
    const { publisher, subscriber, hub, readerAttached } = await setUp();
    const into = subscriber(0);
    const waiting = into.next();
    await readerAttached();
    hub.get('c')!.skipTo(3);
    expect(await waiting).toEqual({ kind: 'gap', from: 0, to: 3, reason: 'window' });
    await publish(publisher(), 'three');
    expect(await read(into)).toEqual([3, 'three']);
  });

  it('fails at a gap, now and ever after, when its caller does not want to jump', async () => {
    const { publisher, subscriber, hub } = await setUp();
    const out = publisher();
    for (let seq = 0; seq < 9; seq += 1) await publish(out, `s${seq}`);
    hub.sweep(Date.now() + 60_000);
    const into = subscriber(1, 'fail');
    const gap = { code: 'stream_gap', retryable: false, details: { from: 1, to: 9, reason: 'window' } };
    await expect(into.next()).rejects.toMatchObject(gap);
    await publish(out, 's9');
    await expect(into.next()).rejects.toMatchObject(gap);
    await into.close();
    expect(await into.next()).toBeNull();
  });

  it('reads to the end without an error where there is no gap and gaps are to fail', async () => {
    const { publisher, subscriber } = await setUp();
    const out = publisher();
    for (const text of ['zero', 'one']) await publish(out, text);
    const into = subscriber(0, 'fail');
    expect([await read(into), await read(into)]).toEqual([
      [0, 'zero'],
      [1, 'one'],
    ]);
    const pending = into.next();
    await out.close({ endChannel: true });
    expect(await pending).toBeNull();
  });

  it('throws segment_cut after the bytes that came, and the next segment is whole', async () => {
    const { publisher, subscriber, readerAttached } = await setUp();
    const out = publisher();
    const into = subscriber('next');
    const pending = into.next();
    await readerAttached();
    const writer = await out.open();
    await writer.write(bytes('half'));
    const segment = (await pending) as ReadSegment;
    await writer.abort();
    const got: string[] = [];
    const reading = (async () => {
      for await (const chunk of segment.bytes) got.push(text(chunk));
    })();
    await expect(reading).rejects.toMatchObject({ code: 'segment_cut' });
    expect(got.join('')).toBe('half');
    await publish(out, 'whole');
    expect(await read(into)).toEqual([1, 'whole']);
  });

  it('uses up the number of a segment that is given up without a byte, so that nobody waits for it', async () => {
    const { publisher, subscriber } = await setUp();
    const out = publisher();
    const into = subscriber(0);
    const pending = into.next();
    const writer = await out.open();
    await writer.abort();
    const given = (await pending) as ReadSegment;
    const got: string[] = [];
    for await (const chunk of given.bytes) got.push(text(chunk));
    expect([given.seq, got]).toEqual([0, []]);
    await publish(out, 'next');
    expect(await read(into)).toEqual([1, 'next']);
  });

  it('ends a waiting subscriber when the channel ends', async () => {
    const { publisher, subscriber } = await setUp();
    const out = publisher();
    const into = subscriber(0);
    await publish(out, 'last');
    await read(into);
    const pending = into.next();
    await out.close({ endChannel: true });
    expect(await pending).toBeNull();
    expect(await into.next()).toBeNull();
  });

  it('gives a subscriber that is behind the rest when the channel ends', async () => {
    const { publisher, subscriber, hub } = await setUp();
    const out = publisher();
    const into = subscriber(0);
    for (const text of ['zero', 'one', 'two', 'three', 'four', 'five']) await publish(out, text);
    expect(await read(into)).toEqual([0, 'zero']);
    const closing = out.close({ endChannel: true });
    const rest = [];
    for (let seq = 1; seq < 6; seq += 1) rest.push(await read(into));
    expect(rest.map(([, text]) => text)).toEqual(['one', 'two', 'three', 'four', 'five']);
    expect(await into.next()).toBeNull();
    await closing;
    expect(hub.size).toBe(0);
  });

  it('lets a publisher go on where another one stopped', async () => {
    const { publisher, subscriber } = await setUp();
    const first = publisher();
    await publish(first, 'old');
    await first.close();
    await publish(publisher(), 'new');
    expect(await read(subscriber(1))).toEqual([1, 'new']);
  });

  it('tells that the channel is not there', async () => {
    const { publisher, subscriber } = await setUp({ channel: '' });
    await expect(subscriber(0).next()).rejects.toMatchObject({ code: 'channel_not_found' });
    await expect(publisher().open()).rejects.toMatchObject({ code: 'channel_not_found' });
  });

  it('tells a publisher that the channel has ended', async () => {
    const { publisher, hub } = await setUp();
    const out = publisher();
    await publish(out, 'x');
    const writer = await out.open();
    hub.end('c');
    const write = async () => {
      await writer.write(bytes('y'));
      await writer.end();
    };
    await expect(write()).rejects.toMatchObject({ code: 'channel_closed' });
  });

  it('refuses a second segment while one is open', async () => {
    const { publisher } = await setUp();
    const out = publisher();
    await out.open();
    await expect(out.open()).rejects.toMatchObject({ code: 'invalid_request' });
  });

  it('rejects with the reason of the signal, and then goes on', async () => {
    const { publisher, subscriber } = await setUp();
    const into = subscriber(0);
    const stop = new AbortController();
    const pending = into.next(stop.signal);
    stop.abort(new Error('enough'));
    await expect(pending).rejects.toThrow('enough');
    await publish(publisher(), 'x');
    expect(await read(into)).toEqual([0, 'x']);
  });

  it('resolves a pending next to null on close, and closes twice', async () => {
    const { subscriber, publisher } = await setUp();
    const into = subscriber('next');
    const pending = into.next();
    await into.close();
    await into.close();
    expect(await pending).toBeNull();
    const out = publisher();
    await out.close();
    await out.close();
    await expect(out.open()).rejects.toMatchObject({ code: 'channel_closed' });
  });

  it('carries 4 MiB in one segment unchanged', async () => {
    const { publisher, subscriber } = await setUp();
    const into = subscriber(0);
    const whole = Buffer.alloc(4 * 1024 * 1024);
    for (let index = 0; index < whole.length; index += 1) whole[index] = (index * 31) % 251;
    const reading = (async () => {
      const segment = (await into.next()) as ReadSegment;
      return Buffer.concat(await collect(segment));
    })();
    const writer = await publisher().open();
    for (let at = 0; at < whole.length; at += 60_000) await writer.write(whole.subarray(at, at + 60_000));
    await writer.end();
    expect((await reading).equals(whole)).toBe(true);
  });
});

function bytes(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

function text(value: Uint8Array): string {
  return new TextDecoder().decode(value);
}

async function publish(publisher: Publisher, value: string): Promise<void> {
  const writer = await publisher.open();
  await writer.write(bytes(value));
  await writer.end();
}

async function collect(segment: ReadSegment): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of segment.bytes) chunks.push(chunk);
  return chunks;
}

async function read(subscriber: Subscriber): Promise<[number, string]> {
  const next = await subscriber.next();
  if (next?.kind !== 'segment') throw new Error(`no segment: ${JSON.stringify(next)}`);
  return [next.seq, text(Buffer.concat(await collect(next)))];
}
