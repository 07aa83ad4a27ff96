import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Agent, request as askHttps } from 'node:https';
import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2, constants } from 'node:http2';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it } from '@jest/globals';
import { writeCertificate } from '../testing/certificate.ts';
import { type EdgeProcess, startEdgeProcess } from '../testing/process.ts';
import { shardOf } from './shard-of.ts';

const CHANNELS = Array.from({ length: 40 }, (_, index) => `camera-${index}`);
const [ON_0, ON_1] = [0, 1].map((shard) => CHANNELS.filter((channel) => shardOf(channel, 2) === shard));

let edge: EdgeProcess;
let url: URL;
let shards: { pid: number; port: number; url: string }[];
let ca: string;
const cleanups: (() => unknown)[] = [];

async function start(env: Record<string, string> = {}): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'runnel-edge-tls-'));
  const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  ca = await writeCertificate({ certFile, keyFile });
  edge = startEdgeProcess({ EDGE_SHARDS: '2', EDGE_CREATE: 'auto', EDGE_TLS_CERT_FILE: certFile, EDGE_TLS_KEY_FILE: keyFile, ...env });
  shards = ((await edge.logged('shards listen')) as { shards: typeof shards }).shards;
  url = new URL(((await edge.logged('listening')) as { url: string }).url);
  cleanups.push(() => rmSync(folder, { recursive: true }));
}

afterEach(async () => {
  while (cleanups.length > 0) await cleanups.pop()!();
  edge.child.kill('SIGKILL');
  await edge.finished;
});

async function secure(port = Number(url.port)): Promise<TLSSocket> {
  const socket = connectTls({ host: '127.0.0.1', port, ca, ALPNProtocols: ['http/1.1'], maxVersion: 'TLSv1.2' });
  socket.on('error', () => {});
  cleanups.push(() => socket.destroy());
  await once(socket, 'secureConnect');
  return socket;
}

function session(to = url.origin): ClientHttp2Session {
  const made = connectHttp2(to, { ca });
  made.on('error', () => {});
  cleanups.push(() => made.destroy());
  return made;
}

/** The whole answer of an HTTP/2 request, and whether it came to its end by END_STREAM. */
async function answerOf(
  stream: ClientHttp2Stream,
): Promise<{ status: number; body: Buffer; whole: boolean; headers: Record<string, unknown> }> {
  const chunks: Buffer[] = [];
  let headers: Record<string, unknown> = {};
  let whole = false;
  stream.on('response', (all) => (headers = all));
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.on('end', () => (whole = !stream.aborted));
  stream.on('error', () => {});
  if (!stream.closed) await once(stream, 'close').catch(() => {});
  return {
    status: Number(headers[':status']),
    body: Buffer.concat(chunks),
    whole: whole && stream.rstCode === constants.NGHTTP2_NO_ERROR,
    headers,
  };
}

const path = (channel: string, tail: string | number) => `${url.pathname}/${channel}/${tail}`;

describe('an edge of two shards behind TLS', () => {
  it('serves channels of both shards to a client that keeps one connection, and at the URL of the shard', async () => {
    await start();
    const agent = new Agent({ keepAlive: true, maxSockets: 1, ca });
    cleanups.push(() => agent.destroy());
    for (const [n, channel] of CHANNELS.slice(0, 12).entries()) {
      const body = randomBytes(50_000 + n);
      const post = await fetchOver(agent, path(channel, 0), { method: 'POST', body });
      expect([channel, post.status]).toEqual([channel, 200]);
      expect((await fetchOver(agent, path(channel, 0))).body.equals(body)).toBe(true);
      const own = await fetchOver(agent, path(channel, 0), { port: shards[shardOf(channel, 2)].port });
      expect(own.body.equals(body)).toBe(true);
    }
    expect(Object.keys(agent.sockets).length + Object.keys(agent.freeSockets).length).toBeGreaterThan(0);
  }, 30_000);

  it('serves channels of both shards over one HTTP/2 connection, byte by byte as they come', async () => {
    await start();
    for (const to of [url.origin, new URL(shards[0].url).origin]) {
      const http = session(to);
      for (const channel of [ON_0[0], ON_1[0]]) {
        const seq = to === url.origin ? 0 : 1;
        const made = http.request({ ':method': 'POST', ':path': path(channel, seq) }, { endStream: false });
        const posted = answerOf(made);
        made.write(Buffer.from('first '));
        while ((await answerOf(http.request({ ':path': path(channel, 'next') }))).body.toString() !== String(seq + 1));
        const get = http.request({ ':path': path(channel, seq) });
        const got = answerOf(get);
        await once(get, 'response');
        made.end(Buffer.from('second'));
        expect(await posted).toMatchObject({ status: 200, whole: true, headers: { 'lp-trickle-seq': String(seq) } });
        const answer = await got;
        expect([answer.status, answer.body.toString(), answer.whole]).toEqual([200, 'first second', true]);
        expect(answer.headers).toMatchObject({ 'lp-trickle-seq': String(seq) });
        expect((await answerOf(http.request({ ':path': path(channel, 99) }))).status).toBe(470);
      }
    }
  }, 30_000);

  it('never shows a segment as whole whose publisher died, on either version of HTTP', async () => {
    await start();
    for (const channel of [ON_0[0], ON_1[0]]) {
      const publisher = await secure();
      publisher.write(`POST ${path(channel, 0)} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n`);
      const http = session();
      while ((await answerOf(http.request({ ':path': path(channel, 'next') }))).body.toString() !== '1');
      const two = http.request({ ':path': path(channel, 0) });
      const got = answerOf(two);
      await once(two, 'response');
      const one = await secure();
      one.write(`GET ${path(channel, 0)} HTTP/1.1\r\nHost: x\r\n\r\n`);
      const alerts = await recordAlerts(Number(url.port));
      const zero = await secure(alerts.port);
      zero.write(`GET ${path(channel, 0)} HTTP/1.0\r\n\r\n`);
      let [text, old] = ['', ''];
      one.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
      zero.on('data', (chunk: Buffer) => (old += chunk.toString('latin1')));
      while (!text.includes('half') || !old.includes('half')) await new Promise((resolve) => setTimeout(resolve, 5));
      publisher.destroy();
      const answer = await got;
      expect([answer.body.toString(), answer.whole]).toEqual(['half', false]);
      if (!one.closed) await once(one, 'close').catch(() => {});
      expect(text).not.toContain('\r\n0\r\n\r\n');
      if (!zero.closed) await once(zero, 'close').catch(() => {});
      expect([old.endsWith('half'), alerts.count()]).toEqual([true, 0]);
    }
  }, 30_000);

  it('cuts a segment whose publisher dies on HTTP/2, and sends interim answers until its first byte', async () => {
    await start();
    const socket = connectTls({ host: '127.0.0.1', port: Number(url.port), ca, ALPNProtocols: ['h2'] });
    const publisher = connectHttp2(url.origin, { createConnection: () => socket });
    publisher.on('error', () => {});
    const stream = publisher.request({ ':method': 'POST', ':path': path(ON_1[0], 0), expect: '100-continue' }, { endStream: false });
    stream.on('error', () => {});
    await once(stream, 'continue');
    stream.write(Buffer.from('half'));
    const http = session();
    while ((await answerOf(http.request({ ':path': path(ON_1[0], 'next') }))).body.toString() !== '1');
    const got = answerOf(http.request({ ':path': path(ON_1[0], 0) }));
    socket.destroy();
    const answer = await got;
    expect([answer.body.toString(), answer.whole]).toEqual(['half', false]);
  }, 30_000);

  it('answers 503 for the channels of a shard that is down, on either version of HTTP', async () => {
    await start();
    process.kill(shards[1].pid, 'SIGKILL');
    await edge.logged('a shard is gone, and its channels with it');
    const socket = await secure();
    socket.write(`GET ${path(ON_1[0], 0)} HTTP/1.1\r\nHost: x\r\n\r\n`);
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    expect(text.slice(9, 12)).toBe('503');
    expect((await answerOf(session().request({ ':path': path(ON_1[0], 0) }))).status).toBe(503);
    expect((await answerOf(session().request({ ':path': path(ON_0[0], 'next') }))).status).toBe(404);
  }, 30_000);

  it('ends in time with connections open that are passed on', async () => {
    await start({ EDGE_DRAIN_MS: '300' });
    const socket = await secure();
    socket.write(`POST ${path(ON_1[0], 0)} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n`);
    const stream = session().request({ ':path': path(ON_1[0], 1) });
    stream.on('error', () => {});
    await edge.logged('listening');
    await new Promise((resolve) => setTimeout(resolve, 200));
    edge.child.kill('SIGTERM');
    expect(await edge.finished).toBe(0);
    expect(edge.output()).not.toContain('shutdown step');
  }, 30_000);
});

/** A way to the edge on which the TLS alerts that it sends in the clear, up to TLS 1.2, are counted: `close_notify` is one. */
async function recordAlerts(port: number): Promise<{ port: number; count: () => number }> {
  const chunks: Buffer[] = [];
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    for (const socket of [client, upstream]) socket.on('error', () => {});
    client.pipe(upstream).on('data', (chunk: Buffer) => chunks.push(chunk));
    upstream.pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => server.close());
  const count = () => {
    const all = Buffer.concat(chunks);
    let alerts = 0;
    for (let at = 0; at + 5 <= all.length; at += 5 + all.readUInt16BE(at + 3)) if (all[at] === ALERT) alerts += 1;
    return alerts;
  };
  return { port: (server.address() as AddressInfo).port, count };
}

/** Content type of an alert record (RFC 8446, 5.1). */
const ALERT = 21;

interface Ask {
  method?: string;
  body?: Buffer;
  port?: number;
}

function fetchOver(
  agent: Agent,
  target: string,
  { method = 'GET', body, port = Number(url.port) }: Ask = {},
): Promise<{ status: number; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const asked = askHttps({ agent, host: '127.0.0.1', port, path: target, method }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () => resolve({ status: answer.statusCode!, body: Buffer.concat(chunks) }));
    });
    asked.on('error', reject);
    asked.end(body);
  });
}
