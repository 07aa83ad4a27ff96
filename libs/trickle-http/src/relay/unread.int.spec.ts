import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Channel } from '@runnel/trickle-core';
import { createRelay, type Relay } from '../index.ts';
import { eventually } from '../testing/bench.ts';
import { Wire } from '../testing/wire.ts';

const MIB = 1024 * 1024;

/** What one connection may have queued: a socket's high-water mark, and one received piece beyond it. */
const MOST_QUEUED_BYTES = 192 * 1024;

let relay: Relay;
let server: Server;
let aheadMs = 0;
/** The relay's side of each connection. */
let sockets: Socket[] = [];
let wires: Wire[] = [];
let channel: Channel;

beforeEach(async () => {
  [sockets, wires, aheadMs] = [[], [], 0];
  relay = createRelay({ clock: () => Date.now() + aheadMs, limits: { idleMs: 1e12 }, bounds: { stallMs: 100_000, keepAliveMs: 1e9 } });
  channel = relay.hub.create({ name: 'c', mimeType: 'video/MP2T' });
  server = createServer((socket) => {
    sockets.push(socket);
    relay.adopt(socket, Buffer.alloc(0));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterEach(async () => {
  for (const wire of wires) wire.close();
  await relay.close();
  await new Promise((resolve) => server.close(resolve));
});

async function wire(): Promise<Wire> {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening');
  const made = await Wire.to(`http://127.0.0.1:${address.port}`);
  wires.push(made);
  return made;
}

/** More than a kernel takes for one connection, on both of its ends. */
const SEGMENT_BYTES = 15 * MIB;

/** Publishes `SEGMENT_BYTES` in pieces of 64 KiB. */
async function fill(seq: number): Promise<void> {
  const writer = await wire();
  writer.post(`/trickle/c/${seq}`);
  const block = 'x'.repeat(64 * 1024);
  for (let count = 0; count < SEGMENT_BYTES / block.length; count += 1) writer.chunk(block);
  writer.endBody();
  expect((await writer.answer()).status).toBe(200);
  writer.close();
}

const arrayBuffers = () => process.memoryUsage().arrayBuffers;

describe('subscribers who do not read', () => {
  it('cost the one segment that they wait on and a socket’s queue each, and are reset after the time for a stall', async () => {
    const before = arrayBuffers();
    for (let count = 0; count < 12; count += 1) {
      const reader = await wire();
      reader.pause();
      reader.request('GET', '/trickle/c/0');
    }
    await eventually(() => channel.readers === 12);
    await fill(0);
    await eventually(() => sockets.filter(({ writableLength }) => writableLength > 0).length >= 12);
    expect(Math.max(...sockets.map(({ writableLength }) => writableLength))).toBeLessThan(MOST_QUEUED_BYTES);
    // A copy for each would be 180 MiB.
    expect(arrayBuffers() - before).toBeLessThan(60 * MIB);
    expect(relay.hub.heldBytes).toBeLessThan(SEGMENT_BYTES + MIB);
    aheadMs = 150_000;
    await eventually(() => channel.readers === 0);
    expect(relay.counters.stalled).toBe(12);
    await eventually(() => relay.connections === 0);
  });

  it('get the whole of it when they begin to read in time', async () => {
    const readers: Wire[] = [];
    for (let count = 0; count < 3; count += 1) {
      const reader = await wire();
      reader.pause();
      reader.request('GET', '/trickle/c/0');
      readers.push(reader);
    }
    await eventually(() => channel.readers === 3);
    await fill(0);
    await eventually(() => sockets.some(({ writableLength }) => writableLength > 0));
    for (const reader of readers) reader.resume();
    for (const reader of readers) expect((await reader.answer()).body.length).toBe(SEGMENT_BYTES);
    expect(relay.counters.stalled).toBe(0);
  });
});

describe('requests whose answers are not read', () => {
  const ASK = 'GET /trickle/c/next HTTP/1.1\r\nHost: x\r\n\r\n';

  it('are not taken any more than a socket’s queue holds, and all answered in order once they are read', async () => {
    const asker = await wire();
    asker.pause();
    const count = 100_000;
    asker.send(ASK.repeat(count));
    await eventually(() => sockets.some(({ writableNeedDrain }) => writableNeedDrain));
    // Until nothing moves any more.
    for (let last = -1; last !== relay.counters.requests;) {
      last = relay.counters.requests;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(relay.counters.requests).toBeLessThan(count);
    expect([sockets[0].writableLength < MOST_QUEUED_BYTES, sockets[0].isPaused()]).toEqual([true, true]);
    asker.resume();
    await eventually(() => relay.counters.requests === count);
    await asker.until(({ text }) => text.split('HTTP/1.1 200 OK').length === count + 1, 'all answers');
  });

  it('are a stall: the connection is reset', async () => {
    const asker = await wire();
    asker.pause();
    asker.send(ASK.repeat(100_000));
    await eventually(() => sockets.some(({ writableNeedDrain }) => writableNeedDrain));
    aheadMs = 150_000;
    await eventually(() => relay.connections === 0);
    expect([relay.counters.stalled, relay.counters.headerTimeouts]).toEqual([1, 0]);
  });

  it('wait in the kernel, not in the relay, while a GET waits', async () => {
    const asker = await wire();
    const before = arrayBuffers();
    asker.request('GET', '/trickle/c/0');
    await eventually(() => channel.readers === 1);
    asker.send(ASK.repeat(400_000));
    await eventually(() => sockets[0].isPaused());
    expect(arrayBuffers() - before).toBeLessThan(40 * MIB);
    expect(sockets[0].bytesRead).toBeLessThan(MIB);
    asker.close();
    // One who reads nothing does not see that either; the end of the channel makes it look.
    channel.end();
    await eventually(() => relay.connections === 0);
  });
});

describe('a connection that was paused when it was given', () => {
  it('is read from then on, and what was read before comes first', async () => {
    server.removeAllListeners('connection').on('connection', (socket: Socket) => {
      socket.once('data', (data: Buffer) => {
        socket.pause();
        relay.adopt(socket, data);
      });
    });
    const asker = await wire();
    asker.send('GET /trickle/c/next HT');
    await eventually(() => relay.connections === 1);
    asker.send('TP/1.1\r\nHost: x\r\n\r\n');
    expect((await asker.answer()).body).toBe('0');
  });
});
