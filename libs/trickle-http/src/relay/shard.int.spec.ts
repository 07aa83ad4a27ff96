import { mkdtempSync, rmSync } from 'node:fs';
import type { ServerHttp2Stream } from 'node:http2';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createRelay, type Relay, type RelayOptions } from '../index.ts';
import { eventually } from '../testing/bench.ts';
import { TlsBench } from '../testing/tls-bench.ts';
import { Wire } from '../testing/wire.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  while (cleanups.length > 0) await cleanups.pop()!();
});

/** A relay that has the channels whose name begins with `own`, and what it has given away. */
async function setUp(options: RelayOptions = {}) {
  const given: { channel: string; socket: Socket; received: string }[] = [];
  const relay = createRelay({
    creation: 'auto',
    ...options,
    shard: {
      url: 'http://shard-1.example:9000/trickle/',
      owns: (channel) => channel.startsWith('own'),
      elsewhere: (channel, socket, received) => {
        cleanups.push(() => socket.destroy());
        given.push({ channel, socket, received: received.toString('latin1') });
      },
      elsewhereStream: () => {},
    },
  });
  cleanups.push(() => relay.close());
  const { url } = await relay.listen({ host: '127.0.0.1', port: 0 });
  const wire = async () => {
    const made = await Wire.to(url);
    cleanups.push(() => made.close());
    return made;
  };
  return { relay, given, wire };
}

async function adopted(relay: Relay, path: string): Promise<Wire> {
  const server = createServer((socket) => relay.adopt(socket, Buffer.alloc(0)));
  await new Promise<void>((resolve) => server.listen(path, resolve));
  cleanups.push(() => server.close());
  const wire = await Wire.on(connect({ path, allowHalfOpen: true }));
  cleanups.push(() => wire.close());
  return wire;
}

describe('a relay of a shard', () => {
  it('gives away a connection whose request is for another shard, with every byte from that request on', async () => {
    const { given, wire, relay } = await setUp();
    const http = await wire();
    http.request('GET', '/trickle/own-1/next');
    expect((await http.answer()).status).toBe(404);
    const requests = 'POST /trickle/other/0 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabcGET /trickle/own-1 HTTP/1.1\r\n';
    http.send(requests);
    await eventually(() => given.length === 1);
    expect(given[0]).toMatchObject({ channel: 'other', received: requests });
    expect(given[0].socket.isPaused()).toBe(true);
    expect([relay.connections, relay.counters.connections]).toEqual([0, 1]);
  });

  it('counts a request where it is served, and a connection where it was accepted', async () => {
    const first = await setUp();
    const second = createRelay();
    cleanups.push(() => second.close());
    const http = await first.wire();
    http.request('GET', '/trickle/other/next');
    await eventually(() => first.given.length === 1);
    const [{ socket, received }] = first.given;
    second.adopt(socket, Buffer.from(received, 'latin1'));
    expect((await http.answer()).status).toBe(404);
    expect([first.relay.counters.requests, second.counters.requests]).toEqual([0, 1]);
    expect([first.relay.counters.connections, second.counters.connections]).toEqual([1, 0]);
    expect(second.connections).toBe(1);
  });

  it('says where a channel stands when it is made, unless that would repeat a token', async () => {
    const { wire } = await setUp();
    const http = await wire();
    http.request('POST', '/trickle/own-1');
    expect((await http.answer()).headers).toMatchObject({ location: 'http://shard-1.example:9000/trickle/own-1' });
    const signed = await setUp({ authorizer: { check: () => 'granted' } });
    const other = await signed.wire();
    other.request('POST', '/trickle/secret/own-1');
    expect(await other.answer()).toMatchObject({ status: 200, headers: expect.not.objectContaining({ location: expect.anything() }) });
  });

  it('takes connections without an address beyond the bound of one, and cuts them as well as it can', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'runnel-'));
    cleanups.push(() => rmSync(directory, { recursive: true }));
    const { relay } = await setUp({ bounds: { maxConnectionsPerAddress: 1 } });
    relay.hub.create({ name: 'own-1', mimeType: 'video/MP2T' });
    const reader = await adopted(relay, join(directory, '1'));
    const writer = await adopted(relay, join(directory, '2'));
    reader.request('GET', '/trickle/own-1/0');
    writer.post('/trickle/own-1/0');
    writer.chunk('cut here');
    await reader.has('cut here');
    writer.close();
    await reader.gone();
    expect(reader.text).not.toContain('\r\n0\r\n\r\n');
  });

  it('gives away a request of an HTTP/2 connection and goes on with the others', async () => {
    const given: [string, ServerHttp2Stream][] = [];
    const bench = await TlsBench.start({
      shard: {
        url: null,
        owns: (channel) => channel === 'c',
        elsewhere: () => {},
        elsewhereStream: (channel, stream, headers) => {
          given.push([channel, stream]);
          stream.respond({ ':status': 200 });
          stream.end(String(headers[':path']));
        },
      },
    });
    cleanups.push(() => bench.close());
    const http = bench.client();
    expect(await http.ask('GET', 'other/next').done()).toMatchObject({ status: 200, body: '/trickle/other/next' });
    expect(await http.ask('GET', 'c/next').done()).toMatchObject({ status: 200, body: '0' });
    expect(given.map(([channel]) => channel)).toEqual(['other']);
  });
});
