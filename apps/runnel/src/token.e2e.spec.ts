import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createSigningKey, mintToken, parseSigningKeys } from '@runnel/trickle-http';
import { runCli } from './testing/cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'runnel-token-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const keysFile = join(folder, 'keys');
const otherFile = join(folder, 'other');
const keys = ['--keys-file', keysFile];
const mint = (...more: string[]) => ['token', 'mint', ...keys, '--channel', 'cam', '--rights', 'subscribe', ...more];

describe('runnel token', () => {
  beforeAll(async () => {
    for (const file of [keysFile, otherFile]) {
      const made = await runCli(['token', 'key']);
      expect([made.code, made.stderr]).toEqual([0, '']);
      writeFileSync(file, made.stdout, { mode: 0o600 });
    }
  });

  it('makes keys, each another one', () => {
    const [a, b] = [keysFile, otherFile].map((file) => parseSigningKeys(readKeys(file))[0]);
    expect([a.secret.symmetricKeySize, a.id === b.id]).toEqual([32, false]);
  });

  it('mints a token that its own inspection finds valid, as text and as JSON', async () => {
    const before = Date.now();
    const minted = await runCli(mint('--rights', 'manage,publish', '--ttl', '2h', '--url', 'http://127.0.0.1:1/trickle/', '--json'));
    const { token, url, ...rest } = JSON.parse(minted.stdout) as { token: string; url: string; expiresAt: string };
    expect([minted.code, url]).toEqual([0, `http://127.0.0.1:1/trickle/${token}/cam`]);
    expect(rest).toMatchObject({ channel: 'cam', rights: ['publish', 'manage'] });
    expect(Date.parse(rest.expiresAt) - before - 7_200_000).toBeGreaterThanOrEqual(0);
    const inspected = await runCli(['token', 'inspect', `${url}/7`, ...keys, '--json']);
    expect([inspected.code, JSON.parse(inspected.stdout)]).toEqual([0, { status: 'valid', ...rest }]);
    const text = await runCli(['token', 'inspect', token, '--channel', 'cam', ...keys]);
    expect(text.stdout).toMatch(/^status +valid\nchannel +cam\nkeyId .*\nrights +publish, manage\nexpiresAt .*Z\n$/);
    expect(text.stdout + inspected.stdout).not.toContain(token.split('.').at(-1));
  });

  it('prints the bare token or the whole URL on stdout, so that it can be used in a shell', async () => {
    const [bare, whole] = await Promise.all([runCli(mint()), runCli(mint('--url', 'https://e/t'))]);
    expect(bare.stdout).toMatch(/^tc1\.[\w-]+\.s\.\w+\.[\w-]{24}\n$/);
    expect(whole.stdout).toMatch(/^https:\/\/e\/t\/tc1\.[\w.-]+\/cam\n$/);
    expect([bare.stderr, whole.stderr]).toEqual(['', '']);
  });

  it('tells expired, unknown key, wrong signature and unchecked apart', async () => {
    const token = (await runCli(mint())).stdout.trim();
    const status = async (...args: string[]) => {
      const ran = await runCli(['token', 'inspect', ...args, '--json']);
      return [ran.code, (JSON.parse(ran.stdout) as { status: string }).status];
    };
    const [key] = parseSigningKeys(readKeys(keysFile));
    const expired = mintToken({ key, channel: 'cam', rights: ['manage'], expiresMs: 1_000_000 });
    const impostor = createSigningKey({ id: key.id, secret: new Uint8Array(32) });
    const forged = mintToken({ key: impostor, channel: 'cam', rights: ['manage'], expiresMs: Date.now() + 60_000 });
    const cam = ['--channel', 'cam'];
    expect(await status(token)).toEqual([0, 'unchecked']);
    expect(await status(token, ...cam, ...keys)).toEqual([0, 'valid']);
    expect(await status(token, '--channel', 'other', ...keys)).toEqual([1, 'wrong_signature']);
    expect(await status(forged, ...cam, ...keys)).toEqual([1, 'wrong_signature']);
    expect(await status(token, ...cam, '--keys-file', otherFile)).toEqual([1, 'unknown_key']);
    expect(await status(expired)).toEqual([1, 'expired']);
    expect(await status(expired, ...cam, ...keys)).toEqual([1, 'expired']);
  }, 30_000);

  it.each<[string, string, string[]]>([
    ['no subcommand that exists', 'invalid_usage', ['token', 'make']],
    ['no channel', 'invalid_usage', ['token', 'mint', ...keys, '--rights', 'publish']],
    ['a channel that cannot be', 'invalid_usage', mint('--channel', 'a/b')],
    ['an unknown right', 'invalid_usage', mint('--rights', 'publish,admin')],
    ['no right', 'invalid_usage', mint('--rights', '')],
    ['a time that is none', 'invalid_usage', mint('--ttl', 'soon')],
    ['a base that is no URL', 'invalid_usage', mint('--url', 'edge')],
    ['a file that is not there', 'invalid_config', mint('--keys-file', join(folder, 'nope'))],
    ['a file without keys', 'invalid_config', mint('--keys-file', import.meta.filename)],
    ['no token', 'invalid_usage', ['token', 'inspect', 'hello']],
    ['keys without a channel', 'invalid_usage', ['token', 'inspect', 'tc1.k.p.zzzzzz.AAAAAAAAAAAAAAAAAAAAAAAA', ...keys]],
    ['two channels', 'invalid_usage', ['token', 'inspect', 'http://e/tc1.k.p.zzzzzz.AAAAAAAAAAAAAAAAAAAAAAAA/a', '--channel', 'b']],
  ])('refuses %s in one line, exit code 2', async (_, code, args) => {
    const ran = await runCli(args);
    expect(ran.stderr).toMatch(new RegExp(`^error: .*\\[${code}\\]\\n$`));
    expect([ran.code, ran.stdout]).toEqual([2, '']);
  });

  it.each([['token'], ['token', 'mint'], ['token', 'inspect'], ['token', 'key']])('explains %s %s with an example', async (...args) => {
    const ran = await runCli([...args, '--help']);
    expect([ran.code, ran.stderr]).toEqual([0, '']);
    expect(ran.stdout).toMatch(/Examples?:/);
  });
});

function readKeys(path: string): string {
  return readFileSync(path, 'utf8');
}
