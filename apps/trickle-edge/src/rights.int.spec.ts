import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Bus, createMemoryBus } from '@runnel/bus';
import { BUS, type EdgeUrls } from '@runnel/schemas';
import { createLogger, loadConfig } from '@runnel/service';
import { formatSigningKey, newSigningKey, parseCapabilityUrl } from '@runnel/trickle-http';
import { startTrickleEdge, type TrickleEdge, TrickleEdgeConfigSchema } from './index.ts';

const SESSION = 'ses_aaaaaaaaaaaaaaaaaaaa';
const OTHER = 'ses_bbbbbbbbbbbbbbbbbbbb';
const DEADLINE = { deadlineMs: 5000 };
const [firstKey, secondKey] = [newSigningKey(), newSigningKey()];

describe('an edge with keys', () => {
  const folder = mkdtempSync(join(tmpdir(), 'runnel-rights-'));
  const keysFile = join(folder, 'keys');
  let bus: Bus;
  let edge: TrickleEdge;
  let logged: string;
  let urls: EdgeUrls;

  const create = async (sessionId: string) => (await bus.request(BUS.edgeCreate, {}, { sessionId }, DEADLINE)).urls;
  const put = (...keys: (typeof firstKey)[]) => writeFileSync(keysFile, keys.map(formatSigningKey).join('\n'), { mode: 0o600 });

  beforeEach(async () => {
    put(firstKey);
    bus = createMemoryBus();
    logged = '';
    const config = loadConfig(TrickleEdgeConfigSchema, { EDGE_PORT: '0', EDGE_OPS_PORT: '0', EDGE_TOKEN_KEYS_FILE: keysFile });
    const logger = createLogger({ name: 'edge', level: 'trace', destination: { write: (line) => void (logged += line) } });
    edge = await startTrickleEdge({ bus, logger, config });
    urls = await create(SESSION);
  });

  afterEach(async () => {
    const metrics = await (await fetch(`${edge.opsUrl}/metrics`)).text();
    await edge.close();
    await bus.close();
    for (const url of [...Object.values(urls.client), ...Object.values(urls.worker)]) {
      const { token, channel } = parseCapabilityUrl(url)!;
      for (const secret of [token, token.split('.').at(-1)!, channel]) {
        expect([logged.includes(secret), metrics.includes(secret)]).toEqual([false, false]);
      }
    }
    rmSync(keysFile);
  });

  /** What a URL can be used for, found out by doing it; the end of the channel comes last. */
  async function uses(url: string): Promise<string[]> {
    const status = async (method: string, suffix: string, body?: string) => (await fetch(url + suffix, { method, body })).status;
    const all: [string, number][] = [
      ['publish', await status('POST', '/0', 'x')],
      ['close a segment', await status('DELETE', '/0')],
      ['subscribe', await status('GET', '/0')],
      ['metadata', await status('GET', '')],
      ['next', await status('GET', '/next')],
      ['timeline', await status('GET', '/timeline')],
      ['end', await status('DELETE', '')],
    ];
    expect(all.filter(([, code]) => code === 401)).toEqual([]);
    return all.filter(([, code]) => code !== 403).map(([use]) => use);
  }

  const WRITE = ['publish', 'close a segment', 'metadata', 'next', 'timeline', 'end'];
  const READ = ['subscribe', 'metadata', 'next'];

  it.each([
    ['client', 'videoIn', WRITE],
    ['client', 'videoOut', READ],
    ['client', 'events', READ],
    ['client', 'data', READ],
    ['worker', 'videoIn', READ],
    ['worker', 'control', READ],
    ['worker', 'videoOut', WRITE],
    ['worker', 'events', WRITE],
    ['worker', 'data', WRITE],
  ] as const)('lets the %s use %s for what it does there, and for nothing else', async (side, kind, expected) => {
    // What is to be read has to be there: its writer puts it, or the edge itself.
    const { client, worker } = urls;
    if (kind === 'control') await bus.request(BUS.edgeControl, {}, { sessionId: SESSION, body: {} }, DEADLINE);
    else await fetch(`${kind === 'videoIn' ? client.videoIn : worker[kind]}/0`, { method: 'POST', body: 'y' });
    expect(await uses((urls[side] as Record<string, string>)[kind])).toEqual(expected);
  });

  it('takes no URL without a token, of another session, or with the token of another channel', async () => {
    const other = await create(OTHER);
    const mine = parseCapabilityUrl(urls.client.videoIn)!;
    const theirs = parseCapabilityUrl(other.client.videoIn)!;
    for (const path of [mine.channel, `${theirs.token}/${mine.channel}`, `${mine.token}/${theirs.channel}`]) {
      for (const method of ['GET', 'POST', 'DELETE']) expect((await fetch(`${edge.url}/${path}`, { method })).status).toBe(401);
    }
  });

  it('changes its keys while it runs: both are good until the old one goes, and URLs of a session can be had anew', async () => {
    const next = (url: string) => fetch(`${url}/next`).then(({ status }) => status);
    put(secondKey, firstKey);
    await edge.reload();
    const renewed = await create(SESSION);
    expect(renewed.client.videoIn).not.toBe(urls.client.videoIn);
    expect([await next(urls.client.videoIn), await next(renewed.client.videoIn)]).toEqual([200, 200]);
    put(secondKey);
    await edge.reload();
    expect([await next(urls.client.videoIn), await next(renewed.client.videoIn)]).toEqual([401, 200]);
    put();
    await edge.reload();
    expect(await next(renewed.client.videoIn)).toBe(200);
  });
});
