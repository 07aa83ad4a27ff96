import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Payload } from './payload.mjs';
import { Stamps } from './stamps.mjs';
import { Subscriber } from './subscriber.mjs';
import { Totals } from './totals.mjs';

const payload = new Payload({ run: 1, channel: 0, writeBytes: 64, writes: 1 });

/** The bytes of a segment, of this channel or of another. */
function bytesOf(seq: number, from = payload): Buffer {
  const bytes = Buffer.alloc(64);
  from.fill(bytes, 0, seq, 0);
  return bytes;
}

function whole(seq: number, bytes = bytesOf(seq), tellsSeq = seq): Buffer {
  return Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\nLp-Trickle-Seq: ${tellsSeq}\r\nContent-Length: ${bytes.length}\r\n\r\n`), bytes]);
}

const servers: Server[] = [];
const ends: { stop(): void }[] = [];

afterEach(async () => {
  for (const end of ends.splice(0)) end.stop();
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

interface FollowOptions {
  script: Record<number, (socket: Socket) => void>;
  last: number;
  onConnection?: (socket: Socket) => void;
}

/** A server that answers by a script (what is not in it waits), and a subscriber of it, until segment `last` was delivered. */
async function follow({ script, last, onConnection }: FollowOptions) {
  const server = createServer((socket) => {
    onConnection?.(socket);
    socket.on('error', () => {});
    socket.on('data', (request) => script[Number(/^GET \/c\/(\d+) /.exec(request.toString('latin1'))?.[1])]?.(socket));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const totals = new Totals();
  const delivered: number[] = [];
  await new Promise<void>((resolve, reject) => {
    const record = {
      delivered: (seq: number) => {
        delivered.push(seq);
        if (seq === last) resolve();
      },
    };
    const { port } = server.address() as AddressInfo;
    const paths = { manage: '/c', publish: '/c', subscribe: '/c' };
    const target = { protocol: 'http1', host: '127.0.0.1', port };
    const subscriber = new Subscriber({ target, paths, payload, stamps: new Stamps(), record, totals });
    ends.push(subscriber);
    subscriber.open().catch(reject);
  });
  return { delivered, totals: totals.counts() as Record<string, unknown> };
}

const good = (seq: number) => (socket: Socket) => socket.write(whole(seq));

describe('a subscriber of the bench', () => {
  it('takes what is right', async () => {
    const { delivered, totals } = await follow({ script: { 0: good(0), 1: good(1), 2: good(2) }, last: 2 });
    expect(delivered).toEqual([0, 1, 2]);
    expect(totals).toEqual({ errors: 0, corrupt: 0, gaps: 0, cut: 0, empty: 0, statuses: {} });
  });

  it('sees bytes of another channel, of another segment, too few, too many, and a wrong number', async () => {
    const foreign = new Payload({ run: 1, channel: 1, writeBytes: 64, writes: 1 });
    const script = {
      0: (socket: Socket) => socket.write(whole(0, bytesOf(0, foreign))),
      1: (socket: Socket) => socket.write(whole(1, bytesOf(0))),
      2: (socket: Socket) => socket.write(whole(2, bytesOf(2).subarray(0, 63))),
      3: (socket: Socket) => socket.write(whole(3, Buffer.concat([bytesOf(3), Buffer.alloc(1)]))),
      4: (socket: Socket) => socket.write(whole(4, bytesOf(4), 5)),
      5: good(5),
    };
    const { delivered, totals } = await follow({ script, last: 5 });
    expect({ delivered, totals }).toMatchObject({ delivered: [5], totals: { corrupt: 5, errors: 0 } });
  });

  it('jumps to the edge at a 470, and takes no segment twice', async () => {
    const edge = (latest: number) => (socket: Socket) =>
      socket.write(`HTTP/1.1 470 Gone\r\nLp-Trickle-Latest: ${latest}\r\nContent-Length: 0\r\n\r\n`);
    let asked = 0;
    const script = {
      0: good(0),
      1: (socket: Socket) => (asked++ === 0 ? edge(0) : good(1))(socket),
      2: edge(4),
      4: good(4),
    };
    const { delivered, totals } = await follow({ script, last: 4 });
    expect({ delivered, totals }).toMatchObject({ delivered: [0, 1, 4], totals: { gaps: 2, corrupt: 0, errors: 0 } });
  });

  it('goes on after a connection that breaks, in a segment or before it', async () => {
    let asked = 0;
    const script = {
      0: (socket: Socket) => {
        socket.write(whole(0).subarray(0, -10));
        setTimeout(() => socket.resetAndDestroy(), 20);
      },
      1: (socket: Socket) => (asked++ === 0 ? socket.resetAndDestroy() : good(1)(socket)),
    };
    const { delivered, totals } = await follow({ script, last: 1 });
    expect({ delivered, totals }).toMatchObject({ delivered: [1], totals: { cut: 1, corrupt: 0 } });
    expect(totals['errors']).toBeGreaterThan(0);
  });

  it('holds no error against a server that ends a connection on which nothing happens', async () => {
    let connections = 0;
    const count = (socket: Socket) => {
      connections += 1;
      setTimeout(() => socket.bytesRead === 0 && socket.end(), 10);
    };
    const script = { 0: (socket: Socket) => void setTimeout(() => good(0)(socket), 200), 1: good(1) };
    const { delivered, totals } = await follow({ script, last: 1, onConnection: count });
    expect(connections).toBeGreaterThan(2);
    expect({ delivered, totals }).toMatchObject({ delivered: [0, 1], totals: { errors: 0, corrupt: 0 } });
  });
});
