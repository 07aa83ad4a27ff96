import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { inspectClip, makeTestClip } from '@runnel/media';
import { createApiClient, type ApiClient } from './api/client.ts';
import { runCli, startCli, type RunningCli } from './testing/cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'runnel-commands-'));
const clip = join(folder, 'clip.mp4');
let server: RunningCli;
let edgeUrl = '';
let api: ApiClient;

beforeAll(async () => {
  await makeTestClip({ path: clip, seconds: 2 });
  server = startCli(['start', '--port', '0', '--edge-port', '0', '--json'], { deadlineMs: 120_000 });
  const [, apiUrl, edge] = await server.until(/"apiUrl":"([^"]+)","edgeUrl":"([^"]+)"/);
  edgeUrl = edge.replace(/\/+$/, '');
  api = createApiClient(apiUrl);
}, 60_000);

afterAll(async () => {
  server.signal('SIGINT');
  expect(await server.finished).toMatchObject({ code: 0, leftBehind: [] });
  rmSync(folder, { recursive: true, force: true });
}, 30_000);

describe('publish and play', () => {
  it('carry a file through a session into an MP4, every frame', async () => {
    const session = await api.createSession({ processor: 'passthrough', params: {} });
    const output = join(folder, 'take.mp4');
    const playing = runCli(['play', session.urls.play, '--from-start', '--output', output, '--json']);
    const published = await runCli(['publish', clip, session.urls.publish, '--json']);
    expect({ ...published, stdout: JSON.parse(published.stdout) as unknown }).toMatchObject({
      code: 0,
      stdout: { frames: 60 },
      leftBehind: [],
    });
    expect(await playing).toMatchObject({ code: 0, leftBehind: [] });
    expect(await inspectClip(output)).toMatchObject({ frames: 60, counters: { gaps: 0, duplicates: 0 }, hasAudio: true });
  }, 60_000);

  it.each([
    ['play', () => ['play', `${edgeUrl}/nobody-made-this`, '--output', join(folder, 'x.ts')]],
    ['publish', () => ['publish', clip, `${edgeUrl}/nobody-made-this`]],
    ['inspect', () => ['inspect', `${edgeUrl}/nobody-made-this`]],
  ])(
    '%s of a channel that is not there is one line and exit code 2',
    async (_, args) => {
      const ran = await runCli(args());
      expect(ran.stderr.trim().split('\n').at(-1)).toMatch(/^error: .*\[channel_not_found\]$/);
      expect([ran.code, ran.leftBehind]).toEqual([2, []]);
    },
    30_000,
  );
});

describe('start', () => {
  it('says so when its port is taken, and ends', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as { port: number };
    const ran = await runCli(['start', '--port', String(port), '--edge-port', '0'], { deadlineMs: 20_000 });
    expect(ran.stderr).toMatch(/error: .*\[port_in_use\]\n$/);
    expect([ran.code, ran.leftBehind]).toEqual([2, []]);
    await new Promise((resolve) => taken.close(resolve));
  }, 30_000);

  it('ends with its sessions when it is interrupted in mid-stream', async () => {
    const own = startCli(['start', '--port', '0', '--edge-port', '0', '--json']);
    const [, apiUrl] = await own.until(/"apiUrl":"([^"]+)"/);
    const session = await createApiClient(apiUrl).createSession({ processor: 'blur', params: {} });
    const publishing = runCli(['publish', clip, session.urls.publish]);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    own.signal('SIGINT');
    expect(await own.finished).toMatchObject({ code: 0, leftBehind: [] });
    const published = await publishing;
    expect(published.code).not.toBe(0);
    expect(published.leftBehind).toEqual([]);
  }, 60_000);
});

describe('a demo that is killed', () => {
  it('leaves no process and a playable file', async () => {
    const output = join(folder, 'killed.mp4');
    const cli = startCli(['demo', '--input', clip, '--output', output]);
    await cli.until(/streaming .* [1-9]\d* frames/);
    await new Promise((resolve) => setTimeout(resolve, 1200));
    cli.signal('SIGKILL');
    const ran = await cli.finished;
    expect(ran.leftBehind.filter((what) => what.startsWith('process'))).toEqual([]);
    expect((await inspectClip(output)).frames).toBeGreaterThan(5);
  }, 60_000);
});
