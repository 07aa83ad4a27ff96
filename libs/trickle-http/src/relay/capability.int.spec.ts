import { connect } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  createAuthorizer,
  createPublisher,
  createSigningKey,
  createSubscriber,
  mintToken,
  type RelayOptions,
  RIGHTS,
  type Right,
} from '../index.ts';
import { eventually, WireBench } from '../testing/bench.ts';
import type { Wire } from '../testing/wire.ts';

const key = (id: string, fill: number) => createSigningKey({ id, secret: new Uint8Array(32).fill(fill) });
const [KEY, NEXT_KEY, FOREIGN_KEY] = [key('k1', 1), key('k2', 2), key('k1', 3)];
const NOW_MS = 1_700_000_000_000;
const EXPIRES_MS = NOW_MS + 60_000;
const ALL: readonly Right[] = RIGHTS;

/** A token for channel `c` that holds everything, and what it differs in. */
const token = (rights = ALL, more: { key?: typeof KEY; channel?: string; expiresMs?: number } = {}) =>
  mintToken({ key: KEY, channel: 'c', rights, expiresMs: EXPIRES_MS, ...more });

let bench: WireBench;
let time: { nowMs: number };
let authorizer: ReturnType<typeof createAuthorizer>;

/** A relay with keys and the channel `c`, which holds segment 0. */
async function setUp(options: RelayOptions = {}): Promise<void> {
  time = { nowMs: NOW_MS };
  authorizer = createAuthorizer({ keys: [KEY] });
  bench = new WireBench({ authorizer, clock: () => time.nowMs, ...options });
  const channel = await bench.start();
  const writer = channel.write(0);
  writer.write(new TextEncoder().encode('secret bytes'));
  writer.end();
}

afterEach(() => bench.close());

/** Every request that a relay knows, with the right that it needs. */
const REQUESTS: readonly [method: string, tail: string, right: Right | 'any'][] = [
  ['POST', '/1', 'publish'],
  ['DELETE', '/0', 'publish'],
  ['GET', '/0', 'subscribe'],
  ['GET', '/-1', 'subscribe'],
  ['GET', '', 'any'],
  ['GET', '/next', 'any'],
  ['GET', '/timeline', 'manage'],
  ['POST', '', 'manage'],
  ['DELETE', '', 'manage'],
];

const CHUNKED = 'Transfer-Encoding: chunked\r\n';
/** Headers of a request without a body. */
const noBody = (method: string) => (method === 'POST' ? 'Content-Length: 0\r\n' : '');

/** The whole of an answer but the time at which it was made. */
async function answered(wire: Wire): Promise<string> {
  const { status, headers, body } = await wire.answer();
  return JSON.stringify({ status, headers: { ...headers, date: '' }, body });
}

describe('a request with a capability URL', () => {
  it.each(REQUESTS)(
    '%s {channel}%s is served with the right %s and refused without, and the refusal is all that is told',
    async (method, tail, right) => {
      await setUp();
      for (let mask = 1; mask < 8; mask += 1) {
        const rights = ALL.filter((_, bit) => (mask & (1 << bit)) !== 0);
        if (right === 'any' || rights.includes(right)) continue;
        const granted = token(rights);
        const wire = await bench.wire();
        wire.request(method, `/trickle/${granted}/c${tail}`, noBody(method));
        const { status, headers, body } = await wire.answer();
        expect([status, body]).toEqual([403, 'This URL does not allow that.']);
        expect(headers.connection).toBe(method === 'POST' ? 'close' : undefined);
        const told = JSON.stringify(headers);
        for (const secret of [granted, granted.split('.').at(-1)!, 'k1', '"c"', 'lp-trickle']) expect(told).not.toContain(secret);
      }
      const wire = await bench.wire();
      wire.request(method, `/trickle/${token(right === 'any' ? ['subscribe'] : [right])}/c${tail}`, noBody(method));
      if (tail === '/-1') await eventually(() => bench.channel.readers > 0);
      else expect((await wire.answer()).status).toBe(200);
      expect(bench.relay.counters).toMatchObject({ unauthorized: 0, forbidden: right === 'any' ? 0 : 3 });
    },
  );

  it.each<[string, () => string]>([
    ['no token', () => 'c'],
    ['an empty one', () => '/c'],
    ['a made-up one', () => 'tc1.k1.psm.tro8w0.AAAAAAAAAAAAAAAAAAAAAAAA/c'],
    ['one of another key of the same id', () => `${token(ALL, { key: FOREIGN_KEY })}/c`],
    ['one of an unknown key', () => `${token(ALL, { key: NEXT_KEY })}/c`],
    ['one of another channel', () => `${token(ALL, { channel: 'd' })}/c`],
    ['an expired one', () => `${token(ALL, { expiresMs: NOW_MS })}/c`],
    ['one that was cut', () => `${token().slice(0, -1)}/c`],
    ['one that is too long', () => `${'tc1.k1.psm.'.padEnd(4000, 'a')}/c`],
    ['one in another case', () => `${token().toUpperCase()}/c`],
    ['one that is escaped', () => `${token().replaceAll('.', '%2e')}/c`],
    ['a channel that is escaped', () => `${token()}/%63`],
    ['one in the query', () => `x/c?token=${token()}`],
  ])('is 401 with %s, the same for a channel that exists and for one that does not', async (_, path) => {
    await setUp();
    for (const [method, tail] of REQUESTS) {
      const there = await bench.wire();
      const [before, query = ''] = path().split('?');
      there.request(method, `/trickle/${before}${tail}${query === '' ? '' : `?${query}`}`, noBody(method));
      const answer = await answered(there);
      bench.relay.hub.get('c')!.end();
      const gone = await bench.wire();
      gone.request(method, `/trickle/${before}${tail}${query === '' ? '' : `?${query}`}`, noBody(method));
      expect(await answered(gone)).toBe(answer);
      expect(JSON.parse(answer)).toMatchObject({ status: 401, body: 'This URL is not valid, or no longer.' });
      expect(answer).not.toContain('tc1');
      bench.relay.hub.create({ name: 'c', mimeType: 'video/MP2T' });
    }
    expect(bench.relay.counters).toMatchObject({ unauthorized: 2 * REQUESTS.length, forbidden: 0, notFound: 0 });
  });

  it('is 404 only for whoever holds the right, and 403 for others whether the channel is there or not', async () => {
    await setUp();
    const read = token(['subscribe'], { channel: 'nobody' });
    expect((await bench.ask('GET', `/trickle/${read}/nobody/0`)).status).toBe(404);
    expect((await bench.ask('POST', `/trickle/${read}/nobody/0`, 'Content-Length: 0\r\n')).status).toBe(403);
    expect((await bench.ask('DELETE', `/trickle/${read}/nobody`)).status).toBe(403);
  });

  it('makes a channel with the right to manage it or, where that makes channels, to publish to it, and with no other', async () => {
    await setUp({ creation: 'auto' });
    const path = (rights: Right[]) => `/trickle/${token(rights, { channel: 'new' })}/new`;
    expect((await bench.ask('POST', path(['publish', 'subscribe']), 'Content-Length: 0\r\n')).status).toBe(403);
    expect((await bench.ask('POST', `${path(['subscribe', 'manage'])}/0`, 'Content-Length: 0\r\n')).status).toBe(403);
    expect(bench.relay.hub.get('new')).toBeUndefined();
    expect((await bench.ask('POST', path(['manage']), 'Content-Length: 0\r\n')).status).toBe(200);
    expect(bench.relay.hub.get('new')).toBeDefined();
    const other = token(['publish'], { channel: 'other' });
    expect((await bench.ask('POST', `/trickle/${other}/other/0`, 'Content-Length: 0\r\n')).status).toBe(200);
    expect(bench.relay.hub.get('other')).toBeDefined();
  });

  it('is a path without a token nowhere, not even outside of the relay', async () => {
    await setUp();
    expect((await bench.ask('GET', '/trickle/c')).status).toBe(401);
    expect((await bench.ask('GET', '/trickle/c/0')).status).toBe(401);
    expect((await bench.ask('GET', `/trickle/${token()}/c/0/1`)).status).toBe(404);
    expect((await bench.ask('GET', `/${token()}/c/0`)).status).toBe(404);
    expect((await bench.ask('GET', `/trickle/../${token()}/c/0`)).status).toBe(404);
  });
});

describe('a connection', () => {
  it('is believed anew with each request: good, bad and good again on the same one', async () => {
    await setUp();
    const wire = await bench.wire();
    const ask = async (path: string) => {
      wire.request('GET', path);
      return (await wire.answer()).status;
    };
    const good = `/trickle/${token(['subscribe'])}/c/0`;
    expect(await ask(good)).toBe(200);
    expect(await ask('/trickle/c/0')).toBe(401);
    expect(await ask(`/trickle/${token(['publish'])}/c/0`)).toBe(403);
    expect(await ask(`/trickle/${token(['subscribe'])}/d/0`)).toBe(401);
    expect(await ask(good)).toBe(200);
    time.nowMs = EXPIRES_MS;
    expect(await ask(good)).toBe(401);
  });

  it('loses a key that is taken away with its next request, and keeps the other one', async () => {
    await setUp();
    const wire = await bench.wire();
    const ask = async (signedBy: typeof KEY) => {
      wire.request('GET', `/trickle/${token(['subscribe'], { key: signedBy })}/c/0`);
      return (await wire.answer()).status;
    };
    expect([await ask(KEY), await ask(NEXT_KEY)]).toEqual([200, 401]);
    authorizer.rotate([NEXT_KEY, KEY]);
    expect([await ask(KEY), await ask(NEXT_KEY)]).toEqual([200, 200]);
    authorizer.rotate([NEXT_KEY]);
    expect([await ask(KEY), await ask(NEXT_KEY)]).toEqual([401, 200]);
  });

  it('goes on with a stream that began before its URL expired', async () => {
    await setUp();
    const reader = await bench.wire();
    reader.request('GET', `/trickle/${token(['subscribe'])}/c/1`);
    await eventually(() => bench.channel.readers > 0);
    const writer = await bench.wire();
    writer.post(`/trickle/${token(['publish'])}/c/1`);
    writer.chunk('before');
    await reader.has('before');
    time.nowMs = EXPIRES_MS + 1;
    writer.chunk('after');
    writer.endBody();
    expect((await writer.answer()).status).toBe(200);
    expect((await reader.answer()).body).toBe('beforeafter');
  });
});

describe('a POST with a bad token', () => {
  it.each<[string, number, () => string, string]>([
    ['chunked', 401, () => token(ALL, { key: FOREIGN_KEY }), CHUNKED],
    ['with a length', 401, () => token(ALL, { key: FOREIGN_KEY }), 'Content-Length: 1000000000000\r\n'],
    ['that expects 100', 401, () => token(ALL, { key: FOREIGN_KEY }), `Expect: 100-continue\r\n${CHUNKED}`],
    ['chunked, without the right', 403, () => token(['subscribe']), CHUNKED],
  ])('%s is answered %i before any of its body has come, and none of it is kept', async (_, status, made, headers) => {
    await setUp();
    const wire = await bench.wire();
    wire.request('POST', `/trickle/${made()}/c/1`, headers);
    const { status: told, headers: named } = await wire.answer();
    expect([told, named.connection]).toEqual([status, 'close']);
    expect(bench.channel.nextWrite).toBe(1);
  });

  it('is not read for ever by a relay that has answered', async () => {
    await setUp({ clock: Date.now });
    const { port } = new URL(bench.channelUrl);
    const socket = connect({ host: '127.0.0.1', port: Number(port), allowHalfOpen: true });
    const failed = new Promise<Error>((resolve) => socket.once('error', resolve));
    socket.resume();
    socket.write(`POST /trickle/c/1 HTTP/1.1\r\nHost: x\r\n${CHUNKED}\r\n`);
    const piece = `10000\r\n${'x'.repeat(65_536)}\r\n`;
    const sending = setInterval(() => socket.write(piece), 5);
    try {
      const code = await Promise.race([failed.then((error) => (error as NodeJS.ErrnoException).code), late()]);
      expect(['ECONNRESET', 'EPIPE']).toContain(code);
    } finally {
      clearInterval(sending);
      socket.destroy();
    }
    expect([bench.channel.nextWrite, bench.channel.writers]).toEqual([1, 0]);
  });
});

/** How long a relay may go on reading what it has refused. */
const READ_ON_MS = 10_000;

async function late(): Promise<string> {
  await new Promise((resolve) => setTimeout(resolve, READ_ON_MS).unref());
  return `still open after ${READ_ON_MS} ms`;
}

describe("Runnel's clients", () => {
  it('stream with the URLs that they were given, and say at once why they are refused', async () => {
    time = { nowMs: Date.now() };
    authorizer = createAuthorizer({ keys: [KEY] });
    bench = new WireBench({ authorizer });
    await bench.start();
    const base = bench.channelUrl.slice(0, -1);
    const url = (rights: Right[]) => `${base}${token(rights, { expiresMs: time.nowMs + 60_000 })}/c`;
    const publisher = createPublisher({ url: url(['publish', 'manage']), mimeType: 'video/MP2T' });
    const subscriber = createSubscriber({ url: url(['subscribe']), start: 0 });
    const segment = await publisher.open();
    await segment.write(new TextEncoder().encode('hello'));
    await segment.end();
    const read = await subscriber.next();
    expect(read).toMatchObject({ kind: 'segment', seq: 0 });
    const wrong = createPublisher({ url: url(['subscribe']), mimeType: 'video/MP2T' });
    await expect(wrong.open().then((opened) => opened.write(new Uint8Array(1)).then(() => opened.end()))).rejects.toMatchObject({
      code: 'access_denied',
    });
    for (const bad of [url(['publish']), `${base}c`]) {
      const reader = createSubscriber({ url: bad, start: 0 });
      await expect(reader.next()).rejects.toMatchObject({ code: 'access_denied', message: expect.not.stringContaining('tc1') });
      await reader.close();
    }
    const stranger = createPublisher({ url: `${base}c`, mimeType: 'video/MP2T' });
    await expect(stranger.open()).rejects.toMatchObject({ code: 'access_denied' });
    await Promise.all([stranger.close(), wrong.close(), subscriber.close()]);
    await publisher.close({ endChannel: true });
    expect(bench.relay.hub.get('c')).toBeUndefined();
  });
});
