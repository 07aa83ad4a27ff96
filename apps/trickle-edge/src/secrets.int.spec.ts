import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createPublisher, createSubscriber, formatSigningKey, mintToken, newSigningKey, type Right } from '@runnel/trickle-http';
import { type EdgeProcess, startEdgeProcess } from './testing/process.ts';

const MIME_TYPE = 'application/octet-stream';
const CHANNEL = 'kanal-0123456789abcdef';
const folder = mkdtempSync(join(tmpdir(), 'runnel-edge-'));
const key = newSigningKey();
const keyFile = join(folder, 'keys');
let edge: EdgeProcess;
let base: string;
let opsUrl: string;
const tokens: string[] = [];

function mint(rights: Right[], expiresMs = Date.now() + 60_000): string {
  const token = mintToken({ key, channel: CHANNEL, rights, expiresMs });
  tokens.push(token);
  return token;
}

beforeAll(async () => {
  writeFileSync(keyFile, `${formatSigningKey(key)}\n`, { mode: 0o600 });
  edge = startEdgeProcess({
    EDGE_CREATE: 'explicit',
    EDGE_CHANGES: 'on',
    EDGE_TOKEN_KEYS_FILE: keyFile,
    EDGE_DRAIN_MS: '200',
    LOG_LEVEL: 'trace',
  });
  const line = (await edge.logged('listening')) as { url: string; opsUrl: string };
  base = line.url;
  opsUrl = line.opsUrl;
});
afterAll(() => {
  edge.child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** What a client does that knows no manners: whatever it sends holds a secret. */
async function raw(text: string): Promise<void> {
  const socket = connect(Number(new URL(base).port), '127.0.0.1');
  socket.on('error', () => undefined);
  socket.on('data', () => undefined);
  await once(socket, 'connect');
  socket.end(text);
  if (!socket.destroyed) await once(socket, 'close');
}

describe('whatever an edge logs, at the finest level, under good and bad traffic', () => {
  it('holds no token, no name of a channel and no key; neither do its metrics', async () => {
    const all = mint(['publish', 'subscribe', 'manage']);
    const url = `${base}/${all}/${CHANNEL}`;
    expect((await fetch(url, { method: 'POST', headers: { 'expect-content': MIME_TYPE } })).status).toBe(200);
    const publisher = createPublisher({ url, mimeType: MIME_TYPE });
    const subscriber = createSubscriber({ url: `${base}/${mint(['subscribe'])}/${CHANNEL}`, start: 0 });
    const writer = await publisher.open();
    await writer.write(Buffer.from('x'));
    await writer.end();
    expect(await subscriber.next()).toMatchObject({ kind: 'segment', seq: 0 });

    const answers = await Promise.all([
      fetch(`${base}/${mint(['subscribe'])}/${CHANNEL}/1`, { method: 'POST', body: 'x' }),
      fetch(`${base}/${mint(['publish'])}/${CHANNEL}/0`),
      fetch(`${base}/${mint(['manage'], Date.now() - 60_000)}/${CHANNEL}`),
      fetch(`${base}/${all.slice(0, -1)}x/${CHANNEL}`),
      fetch(`${base}/${all}/${CHANNEL}/nonsense`),
      fetch(`${base}/${all}/${CHANNEL}x`),
      fetch(`${new URL(base).origin}/other/${all}/${CHANNEL}`),
      fetch(`${base}/${all}/${CHANNEL}/99`),
      fetch(url, { method: 'PUT', body: 'x' }),
    ]);
    await Promise.all(answers.map((answer) => answer.text()));
    expect(answers.map(({ status }) => status).slice(0, 4)).toEqual([403, 403, 401, 401]);
    await raw(`POST /trickle/${all}/${CHANNEL}/5 HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nhello`);
    await raw(`GET /trickle/${all}/${CHANNEL}/5 NONSENSE\r\n\r\n`);
    await raw(`\u0000\u0001${all}${CHANNEL}\r\n\r\n`);
    await raw(`GET /trickle/${all}/${CHANNEL}/${'9'.repeat(20_000)} HTTP/1.1\r\n\r\n`);
    const metrics = await (await fetch(`${opsUrl}/metrics`)).text();
    expect(metrics).toMatch(/^trickle_refused_total\{(?=.*reason="unauthorized").*\} 3$/m);
    expect(metrics).toMatch(/^trickle_refused_total\{(?=.*reason="forbidden").*\} 2$/m);

    await subscriber.close();
    await publisher.close();
    edge.child.kill('SIGTERM');
    expect(await edge.finished).toBe(0);
    const written = edge.output();
    expect(written).toContain('"refused":{');
    const secrets = [CHANNEL, formatSigningKey(key).split(':')[1], ...tokens, ...tokens.map((token) => token.split('.').at(-1)!)];
    for (const [where, text] of Object.entries({ log: written, metrics })) {
      expect([where, secrets.filter((secret) => text.includes(secret))]).toEqual([where, []]);
    }
  }, 60_000);
});
