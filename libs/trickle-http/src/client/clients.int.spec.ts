import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { ReadSegment, Subscriber } from '@runnel/trickle-core';
import { createPublisher, createSubscriber } from '../index.ts';
import { eventually, WireBench } from '../testing/bench.ts';
import { backoffMs } from './retry.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  while (cleanups.length > 0) await cleanups.pop()!();
});

async function setUp() {
  const bench = new WireBench();
  cleanups.push(() => bench.close());
  const channel = await bench.start();
  return { bench, channel, url: bench.channelUrl };
}

/** A server that answers as a test wants it to. */
async function fake(listener: RequestListener): Promise<{ url: string; server: Server }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/trickle/c`, server };
}

function subscribe(url: string, options: { start: number | 'next'; reopenMs?: number }): Subscriber {
  const subscriber = createSubscriber({ url, ...options });
  cleanups.push(() => subscriber.close());
  return subscriber;
}

async function text(segment: ReadSegment): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of segment.bytes) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

describe('the subscriber on HTTP', () => {
  it('has the GET of the next segment open as soon as the headers of one are there, before anyone reads', async () => {
    const { bench, channel, url } = await setUp();
    const subscriber = subscribe(url, { start: 0 });
    const first = subscriber.next();
    const writer = await bench.post(0);
    writer.chunk('x');
    await first;
    await eventually(() => channel.readers === 2);
    writer.endBody();
    await writer.answer();
    await eventually(() => channel.readers === 1);
    (await bench.post(1)).chunk('y');
    await eventually(() => channel.readers === 2);
  });

  it('opens a GET that waits too long again, and gets the segment there', async () => {
    let gets = 0;
    const { url } = await fake((req, res) => {
      gets += 1;
      if (gets >= 2 && req.url!.endsWith('/0')) res.writeHead(200, { 'Lp-Trickle-Seq': '0' }).end('late');
    });
    const segment = await subscribe(url, { start: 0, reopenMs: 30 }).next();
    expect(await text(segment as ReadSegment)).toBe('late');
  });

  it('gives up after more than five failures in a row with one error', async () => {
    let gets = 0;
    const { url } = await fake((_req, res) => {
      gets += 1;
      res.writeHead(500).end();
    });
    await expect(subscribe(url, { start: 0 }).next()).rejects.toMatchObject({ code: 'edge_unreachable' });
    expect(gets).toBe(6);
  });

  it('goes on after a few failures, and calls what it missed meanwhile a gap by connection', async () => {
    let gets = 0;
    const { url } = await fake((_req, res) => {
      gets += 1;
      if (gets === 1) res.destroy();
      else if (gets === 2) res.writeHead(470, { 'Lp-Trickle-Latest': '7', 'Lp-Trickle-Seq': '3' }).end();
      else if (gets === 3) res.writeHead(200, { 'Lp-Trickle-Seq': '7' }).end('ok');
    });
    const subscriber = subscribe(url, { start: 3 });
    expect(await subscriber.next()).toEqual({ kind: 'gap', from: 3, to: 7, reason: 'connection' });
    expect(await text((await subscriber.next()) as ReadSegment)).toBe('ok');
  });

  it('reports an unreachable edge and a URL that is none', async () => {
    const { url, server } = await fake(() => {});
    await new Promise((resolve) => server.close(resolve));
    await expect(subscribe(url, { start: 0 }).next()).rejects.toMatchObject({ code: 'edge_unreachable' });
    expect(() => createSubscriber({ url: 'ftp://x/y', start: 0 })).toThrow(expect.objectContaining({ code: 'invalid_request' }));
  });
});

describe('the publisher on HTTP', () => {
  it('has the POST of the next segment open before it is needed', async () => {
    const { channel, url } = await setUp();
    const publisher = createPublisher({ url, mimeType: 'x/y' });
    cleanups.push(() => publisher.close());
    await publisher.open();
    await eventually(() => channel.writers === 2);
    expect(channel.nextWrite).toBe(0);
  });

  it('opens the same number again when its preconnected POST was lost', async () => {
    const { bench, channel, url } = await setUp();
    const publisher = createPublisher({ url, mimeType: 'x/y' });
    cleanups.push(() => publisher.close());
    const first = await publisher.open();
    await first.write(Buffer.from('zero'));
    await first.end();
    await eventually(() => channel.writers === 1);
    const thief = await bench.post(1);
    await eventually(() => bench.relay.hub.counters.takeovers === 1);
    thief.kill();
    await eventually(() => channel.writers === 0);
    const second = await publisher.open();
    await second.write(Buffer.from('one'));
    await second.end();
    expect([second.seq, (await bench.ask('GET', '/trickle/c/1')).body]).toEqual([1, 'one']);
  });

  it('opens the same number again when its POST was lost after it was handed out and before its first byte', async () => {
    const { bench, channel, url } = await setUp();
    const publisher = createPublisher({ url, mimeType: 'x/y' });
    cleanups.push(() => publisher.close());
    const writer = await publisher.open();
    await eventually(() => channel.writers === 2);
    const thief = await bench.post(0);
    await eventually(() => bench.relay.hub.counters.takeovers === 1);
    thief.kill();
    await eventually(() => channel.writers === 1);
    await writer.write(Buffer.from('zero'));
    await writer.end();
    expect((await bench.ask('GET', '/trickle/c/0')).body).toBe('zero');
  });

  it('reports a segment whose connection breaks after its first byte, and goes on with the next', async () => {
    const { url } = await fake((req, res) => {
      if (req.method === 'GET') res.end('0');
      else if (req.url!.endsWith('/0')) req.on('data', () => req.socket.resetAndDestroy());
      else req.resume().on('end', () => res.end());
    });
    const publisher = createPublisher({ url, mimeType: 'x/y' });
    cleanups.push(() => publisher.close());
    const first = await publisher.open();
    await first.write(Buffer.from('x'));
    await expect(first.end()).rejects.toMatchObject({ code: 'edge_unreachable' });
    const second = await publisher.open();
    await second.write(Buffer.from('y'));
    await second.end();
    expect(second.seq).toBe(1);
  });

  it('waits at close for what is in flight, then ends the channel', async () => {
    const { bench, channel, url } = await setUp();
    const publisher = createPublisher({ url, mimeType: 'x/y' });
    const writer = await publisher.open();
    await writer.write(Buffer.from('tail'));
    const ended = writer.end();
    await publisher.close({ endChannel: true });
    await ended;
    expect([channel.ended, channel.counters.bytesIn, bench.relay.hub.size]).toEqual([true, 4, 0]);
  });

  it('cuts the segment that is open when it is closed', async () => {
    const { bench, channel, url } = await setUp();
    const publisher = createPublisher({ url, mimeType: 'x/y' });
    const writer = await publisher.open();
    await writer.write(Buffer.from('half'));
    await eventually(() => channel.nextWrite === 1);
    await publisher.close();
    await eventually(() => bench.relay.hub.counters.cuts === 1);
  });

  it('says that the edge is unreachable when nobody listens', async () => {
    const { url, server } = await fake(() => {});
    await new Promise((resolve) => server.close(resolve));
    const publisher = createPublisher({ url, mimeType: 'x/y', start: 0 });
    cleanups.push(() => publisher.close());
    await expect(publisher.open()).rejects.toMatchObject({ code: 'edge_unreachable' });
  });
});

describe('the pause between tries', () => {
  it('doubles up to a second, and is never more than its step nor less than half of it', () => {
    const range = (failures: number) => [backoffMs(failures, () => 0), backoffMs(failures, () => 1)];
    expect([1, 2, 3, 10].map(range)).toEqual([
      [25, 50],
      [50, 100],
      [100, 200],
      [500, 1000],
    ]);
  });
});
