import { createHash, randomBytes } from 'node:crypto';
import { Agent, request, type RequestOptions } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createPublisher, createSubscriber } from '@runnel/trickle-http';
import { type EdgeProcess, startEdgeProcess } from '../testing/process.ts';
import { shardOf } from './shard-of.ts';

const MIME_TYPE = 'application/octet-stream';
const CHANNELS = Array.from({ length: 200 }, (_, index) => `camera-${index}`);
const [ON_0, ON_1] = [0, 1].map((shard) => CHANNELS.filter((channel) => shardOf(channel, 2) === shard));

let edge: EdgeProcess;
let started: Started['shards'] = [];
const cleanups: (() => unknown)[] = [];

interface Started {
  url: string;
  opsUrl: string;
  shards: { pid: number; port: number; url: string }[];
}

async function start(env: Record<string, string> = {}): Promise<Started> {
  edge = startEdgeProcess({ EDGE_SHARDS: '2', EDGE_CREATE: 'auto', ...env });
  const { shards } = (await edge.logged('shards listen')) as unknown as Started;
  started = shards;
  return { ...((await edge.logged('listening')) as unknown as Started), shards };
}

afterEach(async () => {
  while (cleanups.length > 0) await cleanups.pop()!();
  edge.child.kill('SIGKILL');
  for (const { pid } of [...started, ...comebacks()]) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  await edge.finished;
});

/** One request of a client that keeps its connections, whatever channel they were for. */
function ask(agent: Agent, url: string, options: RequestOptions = {}, body?: Uint8Array): Promise<{ status: number; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { agent, ...options }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () => resolve({ status: answer.statusCode!, body: Buffer.concat(chunks) }));
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

function keepAlive(maxSockets: number): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets });
  cleanups.push(() => agent.destroy());
  return agent;
}

const sha = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

async function metric(opsUrl: string, line: RegExp): Promise<number> {
  const text = await (await fetch(`${opsUrl}/metrics`)).text();
  return Number(line.exec(text)?.[1]);
}

describe('an edge of two shards', () => {
  it('brings every byte of 200 channels through its plain address, for clients that keep connections across channels', async () => {
    const { url, opsUrl } = await start();
    const agent = keepAlive(6);
    const sent = new Map<string, string>();
    const exchange = async (channel: string) => {
      for (const seq of [0, 1]) {
        const bytes = randomBytes(20_000 + Math.floor(Math.random() * 60_000));
        const reading = ask(agent, `${url}/${channel}/${seq}`);
        const chunked = { method: 'POST', headers: { 'content-type': MIME_TYPE, 'transfer-encoding': 'chunked' } };
        expect((await ask(agent, `${url}/${channel}/${seq}`, chunked, bytes)).status).toBe(200);
        sent.set(`${channel}/${seq}`, sha(bytes));
        const early = await reading;
        if (early.status === 200) expect(sha(early.body)).toBe(sha(bytes));
      }
    };
    // As many at a time as leave the agent's connections to wander between the channels.
    const left = [...CHANNELS];
    await Promise.all(
      Array.from({ length: 3 }, async () => {
        for (let channel = left.pop(); channel !== undefined; channel = left.pop()) await exchange(channel);
      }),
    );
    for (const [path, hash] of sent) {
      const read = await ask(agent, `${url}/${path}`);
      expect([path, read.status, sha(read.body)]).toEqual([path, 200, hash]);
    }
    const channels = [0, 1].map((shard) => metric(opsUrl, new RegExp(`^trickle_channels\\{[^}]*shard="${shard}"\\} (\\d+)$`, 'm')));
    expect(await Promise.all(channels)).toEqual([ON_0.length, ON_1.length]);
    expect(Math.abs(ON_0.length - ON_1.length)).toBeLessThan(60);
  }, 60_000);

  it('lets our own clients stream through the plain address and find the same channel at the URL of its shard', async () => {
    const { url, shards } = await start();
    await Promise.all(
      [...ON_0.slice(0, 5), ...ON_1.slice(0, 5)].map(async (channel) => {
        const made = await fetch(`${url}/${channel}`, { method: 'POST', headers: { 'expect-content': MIME_TYPE } });
        const own = shards[shardOf(channel, 2)].url + channel;
        expect([made.status, made.headers.get('location')]).toEqual([200, own]);
        const publisher = createPublisher({ url: `${url}/${channel}`, mimeType: MIME_TYPE });
        const subscribers = [`${url}/${channel}`, own].map((from) => createSubscriber({ url: from, start: 0 }));
        const texts = subscribers.map((subscriber) => readAll(subscriber));
        for (let n = 0; n < 20; n += 1) {
          const writer = await publisher.open();
          await writer.write(Buffer.from(`${channel} `));
          await writer.write(Buffer.from(`${n};`));
          await writer.end();
        }
        await publisher.close({ endChannel: true });
        const whole = Array.from({ length: 20 }, (_, n) => `${channel} ${n};`).join('');
        expect(await Promise.all(texts)).toEqual([whole, whole]);
        await Promise.all(subscribers.map((subscriber) => subscriber.close()));
      }),
    );
  }, 60_000);

  it('hands a connection on in the middle of a stream of bytes without losing one', async () => {
    const { url, shards } = await start();
    const { port, pathname } = new URL(url);
    const bodies = new Map<string, string>();
    const wander = async (client: number) => {
      const socket = connect(Number(port), '127.0.0.1');
      cleanups.push(() => socket.destroy());
      let answers = '';
      socket.on('data', (data) => (answers += data.toString('latin1')));
      for (let hop = 0; hop < 12; hop += 1) {
        const channel = (hop % 2 === 0 ? ON_0 : ON_1)[client];
        const body = randomBytes(150_000);
        bodies.set(`${channel}/${hop}`, sha(body));
        socket.write(`POST ${pathname}/${channel}/${hop} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`);
        // In many pieces, so that some arrive before, some during and some after the connection has moved.
        for (let at = 0; at < body.length; at += 5000) {
          socket.write(`1388\r\n`);
          socket.write(body.subarray(at, at + 5000));
          socket.write('\r\n');
          if (at % 20_000 === 0) await new Promise((resolve) => setImmediate(resolve));
        }
        socket.write('0\r\n\r\n');
        while (answers.split('HTTP/1.1 200').length - 1 < hop + 1) {
          if (/HTTP\/1.1 [345]/.test(answers) || socket.destroyed) throw new Error(`hop ${hop}: ${answers.slice(-300)}`);
          await new Promise((resolve) => setTimeout(resolve, 2));
        }
      }
      socket.destroy();
    };
    await Promise.all(Array.from({ length: 12 }, (_, client) => wander(client)));
    expect(bodies.size).toBe(144);
    for (const [path, hash] of bodies) {
      const answer = await fetch(shards[shardOf(path.split('/')[0], 2)].url + path);
      expect([path, answer.status, sha(new Uint8Array(await answer.arrayBuffer()))]).toEqual([path, 200, hash]);
    }
  }, 60_000);

  it('answers requests that come ahead of their answers in order, whichever shard has their channel', async () => {
    const { url } = await start();
    const { port, pathname } = new URL(url);
    const large = randomBytes(3_000_000);
    const [a, b] = [ON_0[0], ON_1[0]];
    await fetch(`${url}/${a}/0`, { method: 'POST', body: large });
    await fetch(`${url}/${b}/0`, { method: 'POST', body: 'small' });
    const socket = connect(Number(port), '127.0.0.1');
    cleanups.push(() => socket.destroy());
    const get = (channel: string, headers = '') => `GET ${pathname}/${channel}/0 HTTP/1.1\r\nHost: x\r\n${headers}\r\n`;
    // The second one is decided while most of the first answer is still on its way.
    socket.write(get(a) + get(b) + get(a) + get(b, 'Connection: close\r\n'));
    await new Promise((resolve) => setTimeout(resolve, 300));
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    const bodies = unchunked(Buffer.concat(chunks));
    expect(bodies.map(sha)).toEqual([large, Buffer.from('small'), large, Buffer.from('small')].map(sha));
  }, 30_000);

  it('moves a connection only when its client has taken the answers before, and keeps what it sends meanwhile', async () => {
    const { url } = await start();
    const { port, pathname } = new URL(url);
    const channels = [ON_0[0], ON_1[0]];
    // Less than a socket queues: the next request is looked at while this is still to be sent.
    const bodies = channels.map(() => randomBytes(40_000));
    for (const [index, channel] of channels.entries()) await fetch(`${url}/${channel}/0`, { method: 'POST', body: bodies[index] });
    const socket = connect({ port: Number(port), host: '127.0.0.1' });
    cleanups.push(() => socket.destroy());
    socket.pause();
    const hops = 800;
    for (let hop = 0; hop < hops; hop += 1) {
      const last = hop === hops - 1 ? 'Connection: close\r\n' : '';
      socket.write(`GET ${pathname}/${channels[hop % 2]}/0 HTTP/1.1\r\nHost: x\r\n${last}\r\n`);
      // The rest comes when nothing can move any more.
      if (hop === hops / 2) await new Promise((resolve) => setTimeout(resolve, 1500));
    }
    await new Promise((resolve) => setTimeout(resolve, 300));
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    const read = unchunked(Buffer.concat(chunks)).map(sha);
    expect(read.length).toBe(hops);
    expect(read.every((hash, hop) => hash === sha(bodies[hop % 2]))).toBe(true);
  }, 60_000);

  it('refuses at its plain address what a relay refuses, before any shard has to', async () => {
    const { url, opsUrl } = await start({ EDGE_HEADER_MS: '500' });
    const { port, pathname } = new URL(url);
    const statuses = await Promise.all(
      ['NOT HTTP AT ALL\r\n\r\n', `GET ${pathname}/c/0 HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(9000)}\r\n\r\n`, 'GET /tri'].map(
        async (text) => {
          const socket = connect(Number(port), '127.0.0.1');
          socket.write(text);
          let answer = '';
          for await (const chunk of socket) answer += String(chunk);
          return answer.slice(9, 12);
        },
      ),
    );
    expect(statuses).toEqual(['400', '431', '408']);
    const refused = (reason: string) =>
      metric(opsUrl, new RegExp(`^trickle_refused_total\\{[^}]*reason="${reason}"[^}]*shard="front"\\} (\\d+)$`, 'm'));
    expect(await Promise.all(['malformed', 'headers_too_large', 'header_timeout'].map(refused))).toEqual([1, 1, 1]);
    expect((await fetch(`${new URL(url).origin}/livez`)).status).toBe(200);
  }, 30_000);

  it('tells the metrics of all its parts in one scrape', async () => {
    const { url, opsUrl } = await start();
    for (const channel of [ON_0[0], ON_0[1], ON_1[0]]) await fetch(`${url}/${channel}/0`, { method: 'POST', body: '12345' });
    const text = await (await fetch(`${opsUrl}/metrics`)).text();
    const of = (name: string) =>
      Object.fromEntries(
        [...text.matchAll(new RegExp(`^${name}\\{(?:[^}]*,)?shard="(\\w+)"[^}]*\\} (\\d+)$`, 'gm'))].map(([, shard, n]) => [
          shard,
          Number(n),
        ]),
      );
    expect(of('trickle_channels')).toEqual({ 0: 2, 1: 1 });
    expect(of('trickle_received_bytes_total')).toEqual({ 0: 10, 1: 5 });
    // What was handed on counts once: as accepted here, as served there.
    const accepted = of('trickle_connections_total');
    expect([accepted['0'], accepted['1']]).toEqual([0, 0]);
    expect(accepted['front']).toBeGreaterThan(0);
    expect(of('trickle_requests_total')).toEqual({ front: 0, 0: 2, 1: 1 });
    expect(text.match(/^# TYPE trickle_channels /gm)).toHaveLength(1);
    expect(Object.keys(of('process_resident_memory_bytes')).toSorted()).toEqual(['0', '1', 'front']);
  }, 30_000);
});

describe('the life of shards', () => {
  it('outlives the death of a shard: its channels are gone, those of the other go on, and it comes back', async () => {
    const { url, opsUrl, shards } = await start();
    await fetch(`${url}/${ON_0[0]}`, { method: 'POST' });
    const stays = createPublisher({ url: `${url}/${ON_0[0]}`, mimeType: MIME_TYPE });
    const goes = await fetch(`${url}/${ON_1[0]}/0`, { method: 'POST', body: 'lost' });
    expect(goes.status).toBe(200);
    const half = await stays.open();
    await half.write(Buffer.from('before '));
    const reading = fetch(`${url}/${ON_0[0]}/0`).then((answer) => answer.text());
    process.kill(shards[1].pid, 'SIGKILL');
    await edge.logged('a shard is gone, and its channels with it');
    expect(await (await fetch(`${opsUrl}/readyz`)).json()).toMatchObject({
      checks: { shards: { ok: false, reason: 'not there: shard 1' } },
    });
    const down = await fetch(`${url}/${ON_1[0]}/0`);
    expect([down.status, down.headers.get('retry-after')]).toEqual([503, '1']);
    await half.write(Buffer.from('after'));
    await half.end();
    expect(await reading).toBe('before after');
    const back = await edge.logged('the shard is back');
    expect(back).toMatchObject({ shard: 1, port: shards[1].port, url: shards[1].url });
    expect((await fetch(`${shards[1].url}${ON_1[0]}/0`)).status).toBe(404);
    expect((await fetch(`${url}/${ON_1[0]}/0`, { method: 'POST', body: 'anew' })).status).toBe(200);
    expect(await (await fetch(`${url}/${ON_1[0]}/0`)).text()).toBe('anew');
    while ((await fetch(`${opsUrl}/readyz`)).status !== 200) await new Promise((resolve) => setTimeout(resolve, 50));
    await stays.close();
  }, 30_000);

  it('drains all shards on SIGTERM, also one sent to the whole group, and leaves no process', async () => {
    const { url, opsUrl, shards } = await start();
    const channels = [ON_0[0], ON_1[0]];
    for (const channel of channels) await fetch(`${url}/${channel}`, { method: 'POST' });
    const publishers = channels.map((channel) => createPublisher({ url: `${url}/${channel}`, mimeType: MIME_TYPE }));
    const send = async (text: string) => {
      for (const publisher of publishers) {
        const writer = await publisher.open();
        await writer.write(Buffer.from(text));
        await writer.end();
      }
    };
    await send('before ');
    const subscribers = channels.map((channel) => createSubscriber({ url: `${url}/${channel}`, start: 0 }));
    const texts = subscribers.map((subscriber) => readAll(subscriber));
    for (const { pid } of shards) process.kill(pid, 'SIGTERM');
    edge.child.kill('SIGTERM');
    await edge.logged('draining: no new channels');
    for (const shard of [0, 1])
      while ((await metric(opsUrl, new RegExp(`^trickle_draining\\{[^}]*shard="${shard}"\\} (\\d)$`, 'm'))) !== 1);
    for (const channel of [ON_0[1], ON_1[1]]) expect((await fetch(`${url}/${channel}`, { method: 'POST' })).status).toBe(503);
    await send('after');
    for (const publisher of publishers) await publisher.close({ endChannel: true });
    expect(await Promise.all(texts)).toEqual(['before after', 'before after']);
    await Promise.all(subscribers.map((subscriber) => subscriber.close()));
    expect(await edge.finished).toBe(0);
    expect(edge.output()).toContain('drained: no channel is left');
    expect(edge.output()).not.toContain('shutdown step');
    expect(shards.map(({ pid }) => isAlive(pid))).toEqual([false, false]);
  }, 30_000);

  it('does not start a shard again that dies while the edge drains', async () => {
    const { url, opsUrl, shards } = await start();
    for (const channel of [ON_0[0], ON_1[0]]) await fetch(`${url}/${channel}/0`, { method: 'POST', body: 'x' });
    edge.child.kill('SIGTERM');
    while ((await metric(opsUrl, /^trickle_draining\{[^}]*shard="1"\} (\d)$/m)) !== 1);
    process.kill(shards[1].pid, 'SIGKILL');
    await edge.logged('a shard is gone, and its channels with it');
    await new Promise((resolve) => setTimeout(resolve, 2000));
    expect(comebacks()).toEqual([]);
    await fetch(`${url}/${ON_0[0]}`, { method: 'DELETE' });
    expect(await edge.finished).toBe(0);
    expect(edge.output()).toContain('drained: no channel is left');
  }, 30_000);

  it('ends what has not ended by the deadline of the drain', async () => {
    const { url, shards } = await start({ EDGE_DRAIN_MS: '500' });
    for (const channel of [ON_0[0], ON_1[0]]) await fetch(`${url}/${channel}/0`, { method: 'POST', body: 'x' });
    edge.child.kill('SIGTERM');
    expect(await edge.finished).toBe(0);
    expect(edge.output()).toContain('channels are ended by the deadline of the drain');
    expect(edge.output()).not.toContain('shutdown step');
    expect(shards.map(({ pid }) => isAlive(pid))).toEqual([false, false]);
  }, 30_000);

  it('takes the shards along when the front is killed', async () => {
    const { shards } = await start();
    expect(shards.map(({ pid }) => isAlive(pid))).toEqual([true, true]);
    edge.child.kill('SIGKILL');
    await edge.finished;
    const deadline = performance.now() + 10_000;
    while (shards.some(({ pid }) => isAlive(pid)) && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(shards.map(({ pid }) => isAlive(pid))).toEqual([false, false]);
  }, 30_000);

  it('leaves no process and no connection hanging when front or shard are killed while connections move between them', async () => {
    const { url, shards } = await start();
    const { port, pathname } = new URL(url);
    const wandering = { on: true };
    const wander = async (client: number) => {
      for (let hop = 0; wandering.on;) {
        const socket = connect(Number(port), '127.0.0.1');
        cleanups.push(() => socket.destroy());
        socket.on('error', () => {});
        // Every answer is followed by a request for the other shard, so that nearly always one of them is on its way.
        const next = () => socket.write(`GET ${pathname}/${(hop++ % 2 === 0 ? ON_0 : ON_1)[client]}/next HTTP/1.1\r\nHost: x\r\n\r\n`);
        socket.on('data', next);
        next();
        await new Promise((resolve) => socket.once('close', resolve));
      }
    };
    const clients = Array.from({ length: 8 }, (_, client) => wander(client));
    for (let kill = 0; kill < 3; kill += 1) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      const { pid } = kill === 0 ? shards[1] : comebacks().at(-1)!;
      process.kill(pid, 'SIGKILL');
      while (comebacks().length <= kill) await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const { pid } = comebacks().at(-1)!;
    await new Promise((resolve) => setTimeout(resolve, 200));
    edge.child.kill('SIGKILL');
    wandering.on = false;
    await Promise.all(clients);
    const deadline = performance.now() + 10_000;
    while ([shards[0].pid, pid].some(isAlive) && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
    expect([shards[0].pid, pid].map(isAlive)).toEqual([false, false]);
  }, 60_000);

  it('says which port is taken when a shard cannot listen, and leaves no process', async () => {
    const { shards } = await start();
    const second = startEdgeProcess({ EDGE_SHARDS: '2', EDGE_SHARD_PORT: String(shards[0].port - 1) });
    expect(await second.finished).toBe(2);
    expect(second.output()).toMatch(/^error: 127\.0\.0\.1:\d+ is taken by another program\. .*\[port_in_use\]$/m);
  }, 30_000);
});

/** What the log says of shards that were started again, in order. */
function comebacks(): { pid: number }[] {
  const lines = edge
    .output()
    .split('\n')
    .filter((line) => line.endsWith('"msg":"the shard is back"}'));
  return lines.map((line) => JSON.parse(line) as { pid: number });
}

/** Bodies of chunked answers that follow one another. */
function unchunked(all: Buffer): Buffer[] {
  const bodies: Buffer[] = [];
  for (let at = 0; at < all.length;) {
    at = all.indexOf('\r\n\r\n', at) + 4;
    const parts: Buffer[] = [];
    for (;;) {
      const lineEnd = all.indexOf('\r\n', at);
      const size = Number.parseInt(all.toString('latin1', at, lineEnd), 16);
      parts.push(all.subarray(lineEnd + 2, lineEnd + 2 + size));
      at = lineEnd + 2 + size + 2;
      if (size === 0) break;
    }
    bodies.push(Buffer.concat(parts));
  }
  return bodies;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function readAll(subscriber: ReturnType<typeof createSubscriber>): Promise<string> {
  let text = '';
  for (;;) {
    const segment = await subscriber.next();
    if (segment === null) return text;
    if (segment.kind === 'gap') text += '<gap>';
    else for await (const bytes of segment.bytes) text += Buffer.from(bytes).toString();
  }
}
