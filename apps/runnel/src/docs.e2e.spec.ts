import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { makeTestClip } from '@runnel/media';
import type { Session } from '@runnel/schemas';
import { runCli, startCli, type RunningCli } from './testing/cli.ts';
import { commandsOf, createShell, MAIN, ROOT } from './testing/document.ts';

const folder = mkdtempSync(join(tmpdir(), 'runnel-docs-'));

const shell = createShell(folder);

describe.each(['README.md', 'docs/1-quickstart.md'])('the commands of %s work as they are written', (page) => {
  const commands = commandsOf(page);
  let server: RunningCli;
  let apiUrl = '';
  let session: Session;

  beforeAll(async () => {
    await makeTestClip({ path: join(folder, 'my.mp4'), seconds: 4 });
    server = startCli(['start', '--port', '0', '--edge-port', '0', '--json'], { deadlineMs: 300_000 });
    const [, url] = await server.until(/"apiUrl":"([^"]+)"/);
    apiUrl = url!;
  }, 60_000);

  afterAll(async () => {
    server.signal('SIGTERM');
    expect(await server.finished).toMatchObject({ leftBehind: [] });
    rmSync(join(folder, 'my.mp4'), { force: true });
  }, 30_000);

  it('demos end 0', async () => {
    const demos = commands.filter((line) => line.startsWith('npm run demo'));
    expect(demos.length).toBeGreaterThanOrEqual(3);
    for (const line of demos) {
      const run = line.replace(/^npm run demo( --)?/, `node ${MAIN} demo --seconds 1`).replace('libs/worker/', `${ROOT}/libs/worker/`);
      expect({ line, ...(await shell(run)) }).toMatchObject({ code: 0 });
    }
  }, 240_000);

  it('a stream is started, watched, changed and stopped', async () => {
    const lines = commands.filter(
      (line) => line.startsWith('curl') || line.startsWith('npm run runnel') || line.startsWith('npm run --silent'),
    );
    const create = lines.find((line) => line.startsWith('curl') && line.includes(' -d ') && !line.includes('PATCH'))!;
    const local = (line: string) =>
      line
        .replaceAll('localhost:8080', apiUrl.replace('http://', ''))
        .replace(/^npm run (--silent )?runnel --/, `node ${MAIN}`)
        .replace('ffplay -', 'cat > played.ts')
        .replace('PUBLISH_URL', session.urls.publish)
        .replace('PLAY_URL', session.urls.play)
        .replace(/\bID\b/, session.id)
        .replace(/ &$/, '');
    session = JSON.parse((await shell(create.replace('localhost:8080', apiUrl.replace('http://', '')))).output) as Session;
    const others = lines.filter((line) => line !== create && !line.includes('DELETE') && !line.includes('inspect'));
    const publish = others.find((line) => line.includes(' publish '))!;
    const watching = others.filter((line) => line.includes(' play ') || line.includes('/events')).map((line) => shell(local(line)));
    const publishing = shell(local(publish));
    await new Promise((resolve) => setTimeout(resolve, 2000));
    for (const line of lines.filter((line) => line.includes('inspect') || line.includes('PATCH'))) {
      const ran = await shell(local(line));
      expect({ line, code: ran.code, problem: ran.output.includes('"code"') }).toEqual({ line, code: 0, problem: false });
    }
    expect(await publishing).toMatchObject({ code: 0 });
    const watched = await Promise.all(watching);
    expect(watched.map(({ code }) => code)).toEqual(watched.map(() => 0));
    expect(watched.map(({ output }) => output).join('\n')).toContain('params_applied');
    const stop = lines.find((line) => line.includes('DELETE'))!;
    expect(JSON.parse((await shell(local(stop))).output)).toMatchObject({ state: 'ended' });
  }, 120_000);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the processor of README.md', () => {
  it('is about ten lines, and runs as it is written', async () => {
    const source = /```ts\n([\s\S]*?)```/.exec(readFileSync(join(ROOT, 'README.md'), 'utf8'))![1];
    expect(source.split('\n').filter((line) => line.trim() !== '').length).toBeLessThanOrEqual(12);
    // Within the repository, so that it finds the packages; in a folder that git ignores.
    const home = join(ROOT, 'apps', 'runnel', 'dist', 'docs-example');
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, 'threshold.ts'), source);
    const args = ['demo', '--seconds', '1', '--processor', 'threshold', '--param', 'level=90', '--output', join(folder, 't.mp4'), '--json'];
    const ran = await runCli(args, { cwd: home, env: { WORKER_PROCESSORS: './threshold.ts' } });
    expect({ code: ran.code, stderr: ran.stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(ran.stdout)).toMatchObject({ framesIn: 30, framesOut: 30, counters: { gaps: 0, unreadable: 0 } });
  }, 60_000);
});
