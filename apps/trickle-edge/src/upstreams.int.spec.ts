import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createMemoryBus } from '@runnel/bus';
import { BUS } from '@runnel/schemas';
import { createLogger, loadConfig } from '@runnel/service';
import { createPublisher, createSubscriber, formatSigningKey, mintToken, newSigningKey, parseCapabilityUrl } from '@runnel/trickle-http';
import { startTrickleEdge, type TrickleEdge, TrickleEdgeConfigSchema } from './index.ts';

const SESSION = 'ses_aaaaaaaaaaaaaaaaaaaa';
const DEADLINE = { deadlineMs: 5000 };
const key = newSigningKey();

describe('an edge behind another', () => {
  const closes: (() => Promise<void>)[] = [];
  let folder: string;
  let keysFile: string;
  let logged = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'runnel-upstreams-'));
    keysFile = join(folder, 'keys');
    writeFileSync(keysFile, formatSigningKey(key), { mode: 0o600 });
    logged = '';
  });
  afterEach(async () => {
    while (closes.length > 0) await closes.pop()!();
    rmSync(folder, { recursive: true });
  });

  async function start(env: Record<string, string>): Promise<{ edge: TrickleEdge; bus: ReturnType<typeof createMemoryBus> }> {
    const bus = createMemoryBus();
    closes.push(() => bus.close());
    const config = loadConfig(TrickleEdgeConfigSchema, { EDGE_PORT: '0', EDGE_OPS_PORT: '0', ...env });
    const logger = createLogger({ name: 'edge', level: 'trace', destination: { write: (line) => void (logged += line) } });
    const edge = await startTrickleEdge({ bus, logger, config });
    closes.push(() => edge.close());
    return { edge, bus };
  }

  it('serves its channels with a token of the same keys, counts its mirrors, and logs no token', async () => {
    const { edge: owner, bus } = await start({ EDGE_TOKEN_KEYS_FILE: keysFile });
    const { urls } = await bus.request(BUS.edgeCreate, {}, { sessionId: SESSION }, DEADLINE);
    const publisher = createPublisher({ url: urls.client.videoIn, mimeType: 'video/MP2T' });
    closes.push(() => publisher.close());
    const writer = await publisher.open();
    await writer.write(Buffer.from('frame'));
    await writer.end();

    const { edge } = await start({ EDGE_TOKEN_KEYS_FILE: keysFile, EDGE_UPSTREAMS: `*=${owner.url}/{token}/` });
    const { channel } = parseCapabilityUrl(urls.worker.videoIn)!;
    const token = mintToken({ key, channel, rights: ['subscribe'], expiresMs: Date.now() + 60_000 });
    const subscriber = createSubscriber({ url: `${edge.url}/${token}/${channel}`, start: 0 });
    closes.push(() => subscriber.close());
    const segment = await subscriber.next();
    const pieces: Uint8Array[] = [];
    if (segment?.kind === 'segment') for await (const piece of segment.bytes) pieces.push(piece);
    expect(Buffer.concat(pieces).toString()).toBe('frame');
    const metrics = await (await fetch(`${edge.opsUrl}/metrics`)).text();
    expect(metrics).toMatch(/^trickle_mirrors(\{.*\})? 1$/m);
    expect((logged + metrics).includes('tc1.')).toBe(false);
    expect((logged + metrics).includes(channel)).toBe(false);
  });

  it('does not give a channel to who has no token for it, wherever it is', async () => {
    const { edge: owner } = await start({ EDGE_TOKEN_KEYS_FILE: keysFile, EDGE_CREATE: 'explicit' });
    const { edge } = await start({ EDGE_TOKEN_KEYS_FILE: keysFile, EDGE_UPSTREAMS: `*=${owner.url}/{token}/` });
    const token = mintToken({ key: newSigningKey(), channel: 'c', rights: ['subscribe'], expiresMs: Date.now() + 60_000 });
    expect((await fetch(`${edge.url}/${token}/c/0`)).status).toBe(401);
    const metrics = await (await fetch(`${edge.opsUrl}/metrics`)).text();
    expect(metrics).toMatch(/^trickle_upstream_not_found_total(\{.*\})? 0$/m);
  });

  it.each([
    ['no prefix', 'https://a/trickle/', /Entry 1/],
    ['tokens without keys', '*=https://a/trickle/{token}/', /no keys/],
  ])('does not start with a table that has %s', async (_name, table, message) => {
    await expect(start({ EDGE_UPSTREAMS: table })).rejects.toMatchObject({
      code: 'invalid_config',
      message: expect.stringMatching(message),
    });
  });
});
