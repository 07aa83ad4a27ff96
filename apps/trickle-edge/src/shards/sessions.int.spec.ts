import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type Bus, createMemoryBus } from '@runnel/bus';
import { BUS, type EdgeUrls } from '@runnel/schemas';
import { createLogger, loadConfig } from '@runnel/service';
import { createPublisher, createSubscriber, formatSigningKey, newSigningKey } from '@runnel/trickle-http';
import { startTrickleEdge, type TrickleEdge, TrickleEdgeConfigSchema } from '../index.ts';
import { shardOf } from './shard-of.ts';

const DEADLINE = { deadlineMs: 5000 };
const session = (letter: string) => `ses_${letter.repeat(20)}`;

let bus: Bus;
let edge: TrickleEdge;

/** Returns the shards' processes where the log tells them. */
async function start(env: Record<string, string> = {}, level = 'silent'): Promise<{ pid: number; port: number }[]> {
  bus = createMemoryBus();
  const lines: { msg: string; shards: { pid: number; port: number }[] }[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const config = loadConfig(TrickleEdgeConfigSchema, { EDGE_SHARDS: '2', EDGE_PORT: '0', ...env });
  edge = await startTrickleEdge({ bus, logger: createLogger({ name: 'edge', level, destination }), config });
  return lines.find(({ msg }) => msg === 'shards listen')?.shards ?? [];
}

afterEach(async () => {
  await edge.close();
  await edge.close();
  await bus.close();
});

const create = async (sessionId: string): Promise<EdgeUrls> => (await bus.request(BUS.edgeCreate, {}, { sessionId }, DEADLINE)).urls;
const nameOf = (url: string) => url.slice(url.lastIndexOf('/') + 1);

describe('sessions at an edge of two shards', () => {
  it('are given the URLs of the shards that have their channels, which need no front', async () => {
    await start();
    const sessions = await Promise.all(['a', 'b', 'c', 'd'].map((letter) => create(session(letter))));
    const urls = sessions.flatMap(({ worker }) => Object.values(worker));
    const ports = [0, 1].map((shard) => new Set(urls.filter((url) => shardOf(nameOf(url), 2) === shard).map((url) => new URL(url).port)));
    expect(ports.map((set) => set.size)).toEqual([1, 1]);
    expect([...ports[0], ...ports[1]]).not.toContain(new URL(edge.url).port);
    for (const url of urls) {
      expect((await fetch(url)).status).toBe(200);
      expect((await fetch(`${edge.url}/${nameOf(url)}`)).status).toBe(200);
    }
  });

  it('are told the plain address where shards have no URL of their own', async () => {
    await start({ EDGE_SHARD_URLS: 'plain' });
    const { worker } = await create(session('a'));
    for (const url of Object.values(worker)) {
      expect(url.startsWith(`${edge.url}/`)).toBe(true);
      expect((await fetch(url)).status).toBe(200);
    }
  });

  it('stream, are controlled in order, and end as a whole', async () => {
    await start();
    const { worker, client } = await create(session('a'));
    expect(await create(session('a'))).toEqual({ worker, client });
    const publisher = createPublisher({ url: client.videoIn, mimeType: 'video/MP2T' });
    const writer = await publisher.open();
    await writer.write(Buffer.from('picture'));
    await writer.end();
    expect(await (await fetch(`${worker.videoIn}/0`)).text()).toBe('picture');
    const sent = await Promise.all(
      [1, 2, 3].map((n) => bus.request(BUS.edgeControl, {}, { sessionId: session('a'), body: { n } }, DEADLINE)),
    );
    expect(sent).toEqual([{ seq: 0 }, { seq: 1 }, { seq: 2 }]);
    expect(await (await fetch(`${worker.control}/2`)).text()).toBe('{"n":3}');
    const reader = createSubscriber({ url: worker.events, start: 'next' });
    const waiting = reader.next();
    while (((await (await fetch(worker.events)).json()) as { subscribers: number }).subscribers === 0);
    expect(await bus.request(BUS.edgeClose, {}, { sessionId: session('a') }, DEADLINE)).toEqual({ closed: 5 });
    expect(await waiting).toBeNull();
    for (const url of Object.values(worker)) expect((await fetch(url)).status).toBe(404);
    await Promise.all([publisher.close(), reader.close()]);
  });

  it('get tokens that front and shards know, and no others', async () => {
    const keys = mkdtempSync(join(tmpdir(), 'runnel-keys-'));
    const file = join(keys, 'keys');
    const rotate = () => writeFileSync(file, `${formatSigningKey(newSigningKey())}\n`, { mode: 0o600 });
    rotate();
    await start({ EDGE_TOKEN_KEYS_FILE: file, EDGE_CREATE: 'explicit' });
    const { worker } = await create(session('a'));
    const own = worker.videoOut;
    const plain = `${edge.url}/${own.slice(own.lastIndexOf('/', own.lastIndexOf('/') - 1) + 1)}`;
    for (const base of [own, plain]) {
      expect((await fetch(`${base}/-1`, { method: 'POST', body: 'x' })).status).toBe(200);
      expect((await fetch(`${base}/0`)).status).toBe(403);
      expect((await fetch(`${base.replace(/.{4}\/video/, 'AAAA/video')}/0`)).status).toBe(401);
    }
    const made = await fetch(plain, { method: 'POST' });
    expect([made.status, made.headers.get('location')]).toEqual([200, null]);
    // Another key alone: what the old one has signed is void in every process.
    rotate();
    await edge.reload();
    for (const base of [own, plain]) expect((await fetch(`${base}/next`)).status).toBe(401);
    rmSync(keys, { recursive: true });
  });

  it('are told of the loss of a shard by the end of all their channels, others go on', async () => {
    const shards = await start({}, 'info');
    const letters = 'abcdefghijklmnop'.split('');
    const sessions = await Promise.all(letters.map((letter) => create(session(letter))));
    // The session whose channel has the shard that dies, by the process that listens there.
    const { worker } = sessions[0];
    const victim = shards.find(({ port }) => port === Number(new URL(worker.videoIn).port))!;
    const lost = shardOf(nameOf(worker.videoIn), 2);
    const others = Object.values(worker).filter((url) => shardOf(nameOf(url), 2) !== lost);
    const readers = others.map((url) => createSubscriber({ url, start: 'next' }));
    const ends = readers.map((reader) => reader.next());
    for (const url of others) while (((await (await fetch(url)).json()) as { subscribers: number }).subscribers === 0);
    process.kill(victim.pid, 'SIGKILL');
    expect(await Promise.all(ends)).toEqual(ends.map(() => null));
    const control = bus.request(BUS.edgeControl, {}, { sessionId: session('a'), body: {} }, DEADLINE);
    await expect(control).rejects.toMatchObject({ code: 'session_not_found' });
    const untouched = sessions.filter((urls) => Object.values(urls.worker).every((url) => shardOf(nameOf(url), 2) !== lost));
    for (const urls of untouched) for (const url of Object.values(urls.worker)) expect((await fetch(url)).status).toBe(200);
    await Promise.all(readers.map((reader) => reader.close()));
    // It comes back, and sessions with it.
    for (let made = null; made === null;)
      made = await create(session('z')).catch(() => new Promise((resolve) => setTimeout(resolve, 50, null)));
    for (const url of Object.values((await create(session('z'))).worker)) expect((await fetch(url)).status).toBe(200);
  }, 30_000);
});
