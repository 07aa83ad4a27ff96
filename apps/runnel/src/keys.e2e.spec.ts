import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { inspectClip, makeTestClip } from '@runnel/media';
import type { Session } from '@runnel/schemas';
import { parseCapabilityUrl } from '@runnel/trickle-http';
import { createApiClient } from './api/client.ts';
import { type CliResult, runCli, startCli, type RunningCli } from './testing/cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'runnel-keyed-'));
const keysFile = join(folder, 'keys');
const clip = join(folder, 'clip.mp4');
let server: RunningCli;
let session: Session;

beforeAll(async () => {
  await makeTestClip({ path: clip, seconds: 2 });
  writeFileSync(keysFile, (await runCli(['token', 'key'])).stdout, { mode: 0o600 });
  const env = { EDGE_TOKEN_KEYS_FILE: keysFile, LOG_LEVEL: 'trace' };
  server = startCli(['start', '--port', '0', '--edge-port', '0', '--json'], { deadlineMs: 120_000, env });
  const [, apiUrl] = await server.until(/"apiUrl":"([^"]+)"/);
  session = await createApiClient(apiUrl).createSession({ processor: 'passthrough', params: {} });
}, 60_000);

/** What makes the URLs of the session work; none of it may stand where others read. */
function secrets(): string[] {
  return Object.values(session.urls).flatMap((url) => {
    const { token, channel } = parseCapabilityUrl(url)!;
    return [token.split('.').at(-1)!, channel];
  });
}

const shown: CliResult[] = [];

afterAll(async () => {
  server.signal('SIGINT');
  const ended = await server.finished;
  expect(ended).toMatchObject({ code: 0, leftBehind: [] });
  for (const { stdout, stderr } of [ended, ...shown]) {
    expect(secrets().filter((secret) => stdout.includes(secret) || stderr.includes(secret))).toEqual([]);
  }
  rmSync(folder, { recursive: true, force: true });
}, 30_000);

describe('a server with keys', () => {
  it.each([
    ['publish to the play URL', () => ['publish', clip, session.urls.play]],
    ['publish to the events URL', () => ['publish', clip, session.urls.events]],
    ['play the publish URL', () => ['play', session.urls.publish, '--output', join(folder, 'x.ts')]],
    ['play without the token', () => ['play', session.urls.play.replace(/tc1[^/]+\//, ''), '--output', join(folder, 'x.ts')]],
  ])(
    'does not let anybody %s, and says why in one line',
    async (_, args) => {
      const ran = await runCli(args());
      shown.push(ran);
      expect(ran.stderr.trim().split('\n').at(-1)).toMatch(/^error: .*\[access_denied\]$/);
      expect([ran.code, ran.leftBehind]).toEqual([2, []]);
    },
    30_000,
  );

  it('carries a file through a session into an MP4, every frame, and ends it when its publisher is done', async () => {
    const output = join(folder, 'take.mp4');
    const playing = runCli(['play', session.urls.play, '--from-start', '--output', output, '--json']);
    const published = await runCli(['publish', clip, session.urls.publish, '--json']);
    const played = await playing;
    shown.push(published, played);
    expect([published.code, played.code]).toEqual([0, 0]);
    expect(await inspectClip(output)).toMatchObject({ frames: 60, counters: { gaps: 0, duplicates: 0 }, hasAudio: true });
  }, 60_000);
});

describe('a server without keys', () => {
  it.each([['0.0.0.0'], ['::']])(
    'does not start where others can reach it (%s), and says what to do',
    async (host) => {
      const ran = await runCli(['start', '--host', host, '--port', '0', '--edge-port', '0']);
      expect(ran.stderr).toMatch(/^error: .*others can reach .*EDGE_TOKEN_KEYS_FILE.*EDGE_OPEN=true.*\[invalid_config\]\n$/);
      expect([ran.code, ran.leftBehind]).toEqual([2, []]);
    },
    30_000,
  );
});
