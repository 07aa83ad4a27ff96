import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { runCli, startCli, type RunningCli } from './testing/cli.ts';

let edge: RunningCli;
let url = '';
let opsUrl = '';

beforeEach(async () => {
  edge = startCli(['edge', '--port', '0', '--ops-port', '0', '--base', '/live/', '--json'], { env: { EDGE_WARM_UP_MS: '0' } });
  const [line] = await edge.until(/\{"url":.*\}/);
  ({ url, opsUrl } = JSON.parse(line) as { url: string; opsUrl: string });
}, 30_000);
afterEach(async () => {
  edge.child.kill('SIGKILL');
  await edge.finished;
});

const post = async (path: string, body = 'a segment') => (await fetch(`${url}/${path}`, { method: 'POST', body })).status;

describe('runnel edge', () => {
  it('serves what its flags say, and ends in order at Ctrl-C once the last channel has ended', async () => {
    expect(new URL(url).pathname).toBe('/live');
    expect(await post('cam/0')).toBe(200);
    expect(await (await fetch(`${url}/cam/0`)).text()).toBe('a segment');
    expect((await fetch(`${opsUrl}/metrics`)).status).toBe(200);
    edge.signal('SIGINT');
    while ((await fetch(`${opsUrl}/readyz`)).status !== 503);
    expect(await post('other/0')).toBe(503);
    expect((await fetch(`${url}/cam`, { method: 'DELETE' })).status).toBe(200);
    expect(await edge.finished).toMatchObject({ code: 0, leftBehind: [] });
  }, 30_000);

  it('ends at once at a second Ctrl-C', async () => {
    await post('cam/0');
    edge.signal('SIGINT');
    while ((await fetch(`${opsUrl}/readyz`)).status !== 503);
    edge.signal('SIGINT');
    expect((await edge.finished).code).toBe(130);
  }, 30_000);

  it.each([
    [['--create', 'never'], {}, /\[invalid_usage\]$/],
    [['--port', '70000'], {}, /\[invalid_usage\]$/],
    [['--base', 'live'], {}, /EDGE_BASE_PATH.*\[invalid_config\]$/],
    [[], { EDGE_MEMORY_MIB: '-1' }, /EDGE_MEMORY_MIB.*\[invalid_config\]$/],
    [['--host', '0.0.0.0'], {}, /EDGE_TOKEN_KEYS_FILE.*\[invalid_config\]$/],
  ])(
    'says in one line what is wrong with %j %j, and ends with 2',
    async (args, env: Record<string, string>, line) => {
      const ran = await runCli(['edge', '--port', '0', ...args], { env });
      expect([ran.code, ran.stderr.trim().split('\n').length, ran.stderr.trim()]).toEqual([2, 1, expect.stringMatching(line)]);
    },
    30_000,
  );
});

describe('runnel inspect', () => {
  it('shows metadata and the recent past of a channel', async () => {
    await post('cam/0');
    await post('cam/2', 'another');
    const shown = await runCli(['inspect', `${url}/cam`]);
    expect(shown).toMatchObject({ code: 0, stderr: '' });
    expect(shown.stdout).toMatch(/^seq +3$[^]*^ *0 .* 9 .* closed$\n^! segment 1 was not written$\n^ *2 .* 7 .* closed$/m);
    const { stdout } = await runCli(['inspect', `${url}/cam`, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ channel: 'cam', seq: 3, timeline: { nextWrite: 3, segments: [{ seq: 0 }, { seq: 2 }] } });
  }, 30_000);

  it('follows a channel until it has ended', async () => {
    await post('cam/0');
    const following = startCli(['inspect', `${url}/cam`, '--follow']);
    await following.until(/ 9 .* closed/);
    await post('cam/1', '12345');
    await following.until(/ 5 .* closed/);
    await fetch(`${url}/cam`, { method: 'DELETE' });
    const ended = await following.finished;
    expect([ended.code, ended.stderr]).toEqual([0, 'The channel has ended.\n']);
  }, 30_000);

  it('ends at Ctrl-C, and follows no file', async () => {
    await post('cam/0');
    const following = startCli(['inspect', `${url}/cam`, '--follow', '--json']);
    await following.until(/"nextWrite":1/);
    following.signal('SIGINT');
    expect(await following.finished).toMatchObject({ code: 0, stderr: '', leftBehind: [] });
    expect(await runCli(['inspect', 'out.mp4', '--follow'])).toMatchObject({ code: 2 });
  }, 30_000);
});
