import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { createLogger, loadConfig } from '@runnel/service';
import { formatSigningKey, mintToken, newSigningKey } from '@runnel/trickle-http';
import { isLoopback, openAccess } from './access.ts';
import { TrickleEdgeConfigSchema } from './config.ts';

const folder = mkdtempSync(join(tmpdir(), 'runnel-access-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const keysFile = join(folder, 'keys');
const [oldKey, newKey] = [newSigningKey(), newSigningKey()];
const put = (...keys: (typeof oldKey)[]) => writeFileSync(keysFile, keys.map(formatSigningKey).join('\n'), { mode: 0o600 });

/** Opens access as an environment says; the lines that were logged. */
async function start(env: Record<string, string>) {
  const logged: string[] = [];
  const logger = createLogger({ name: 'edge', level: 'info', destination: { write: (line) => void logged.push(line) } });
  const access = await openAccess({ config: loadConfig(TrickleEdgeConfigSchema, env), logger });
  await access.close();
  return { access, logged };
}

describe('open mode', () => {
  it.each([[{}], [{ EDGE_HOST: '127.0.0.1' }], [{ EDGE_HOST: '::1' }], [{ EDGE_HOST: 'localhost' }]])(
    'is taken on loopback without a word: %j',
    async (env: Record<string, string>) => {
      const { access, logged } = await start(env);
      expect([access.authorizer, access.key(), logged]).toEqual([undefined, null, []]);
    },
  );

  it.each([
    [{ EDGE_HOST: '0.0.0.0' }, 'others can reach 0.0.0.0'],
    [{ EDGE_HOST: '::' }, 'others can reach ::'],
    [{ EDGE_HOST: 'edge.example' }, 'others can reach edge.example'],
    [{ EDGE_HOST: '127.0.0.1', EDGE_OPEN: 'false' }, 'EDGE_OPEN=false'],
  ])('is refused, with what to do, where it is not safe: %j', async (env: Record<string, string>, why) => {
    await expect(start(env)).rejects.toMatchObject({
      code: 'invalid_config',
      message: expect.stringContaining(why),
      hint: expect.stringMatching(/EDGE_TOKEN_KEYS_FILE.*EDGE_HOST.*EDGE_OPEN=true/),
    });
  });

  it('can be forced anywhere, with a warning', async () => {
    const { access, logged } = await start({ EDGE_HOST: '0.0.0.0', EDGE_OPEN: 'true' });
    expect(access.authorizer).toBeUndefined();
    expect(logged).toEqual([expect.stringContaining('open mode')]);
    expect((await start({ EDGE_HOST: '127.0.0.1', EDGE_OPEN: 'true' })).logged).toEqual([]);
  });

  it('and keys contradict each other', async () => {
    put(newKey);
    await expect(start({ EDGE_OPEN: 'true', EDGE_TOKEN_KEYS_FILE: keysFile })).rejects.toMatchObject({ code: 'invalid_config' });
  });
});

describe('keys', () => {
  it('make an edge that takes their tokens, on any address, and signs with the newest', async () => {
    put(newKey, oldKey);
    const { access, logged } = await start({ EDGE_HOST: '0.0.0.0', EDGE_TOKEN_KEYS_FILE: keysFile });
    const check = (key: typeof oldKey) =>
      access.authorizer!.check({
        token: mintToken({ key, channel: 'c', rights: ['publish'], expiresMs: 10_000 }),
        channel: 'c',
        right: 'publish',
        nowMs: 0,
      });
    expect([access.key()!.id, check(newKey), check(oldKey), check(newSigningKey())]).toEqual([newKey.id, 'granted', 'granted', 'unknown']);
    expect(logged).toEqual([]);
    put(newKey);
    await access.reload();
    expect([check(newKey), check(oldKey)]).toEqual(['granted', 'unknown']);
  });
});

describe('a loopback address', () => {
  it.each(['127.0.0.1', '127.9.9.9', '::1', '[::1]', '::ffff:127.0.0.1', 'localhost', 'LOCALHOST'])('is %s', (host) => {
    expect(isLoopback(host)).toBe(true);
  });
  it.each([
    '0.0.0.0',
    '::',
    '10.0.0.1',
    '128.0.0.1',
    '127.evil.example',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    '',
    '::ffff:10.0.0.1',
  ])('is not %s', (host) => expect(isLoopback(host)).toBe(false));
});
