import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const README = readFileSync(join(import.meta.dirname, '..', 'README.md'), 'utf8');
/** An example that does not end by itself is killed after this long, ms. */
const DEADLINE_MS = 15_000;
/** Longer than a segment stays in the window for its age. */
const WINDOW_MS = 1300;

const folder = mkdtempSync(join(tmpdir(), 'runnel-package-'));
const user = join(folder, 'user');
const installed = join(user, 'node_modules', '@runnel', 'trickle');

/** The README's examples by their file names, which stand in their first lines. */
const examples = new Map([...README.matchAll(/```js\n\/\/ (\S+)\n(.*?)```/gs)].map(([, name, code]) => [name, code]));

/** An example that runs in plain Node. */
interface Run {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly finished: Promise<number | null>;
}

/** Runs an example as it stands in the README, but for its port. */
function run(name: string, port: string): Run {
  writeFileSync(join(user, name), examples.get(name)!.replaceAll('3939', port));
  const child = spawn(process.execPath, [name], { cwd: user, env: {}, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => (output += bytes.toString()));
  const deadline = setTimeout(() => child.kill('SIGKILL'), DEADLINE_MS);
  const finished = once(child, 'close').then(([code]) => {
    clearTimeout(deadline);
    return code as number | null;
  });
  return { child, output: () => output, finished };
}

async function until(example: Run, text: string): Promise<void> {
  while (!example.output().includes(text)) {
    if (example.child.exitCode !== null || example.child.signalCode !== null)
      throw new Error(`ended without '${text}':\n${example.output()}`);
    await sleep(20);
  }
}

async function done(name: string, port: string): Promise<string> {
  const example = run(name, port);
  expect({ code: await example.finished, output: example.output() }).toMatchObject({ code: 0 });
  return example.output();
}

beforeAll(() => {
  const tarball = execFileSync(process.execPath, [join(ROOT, 'tools', 'pack-trickle.mjs'), folder], { encoding: 'utf8' }).trim();
  mkdirSync(installed, { recursive: true });
  execFileSync('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1']);
  writeFileSync(join(user, 'package.json'), '{"type":"module"}');
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the package', () => {
  it('holds all that it needs, and no test', () => {
    const { dependencies, bundleDependencies } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
    expect(Object.keys(dependencies)).toEqual(bundleDependencies);
    for (const name of bundleDependencies) {
      const own = join(installed, 'node_modules', name);
      const needs = Object.keys(JSON.parse(readFileSync(join(own, 'package.json'), 'utf8')).dependencies);
      expect(needs.filter((need) => !bundleDependencies.includes(need))).toEqual([]);
    }
    expect(['README.md', 'LICENSE', 'dist/index.d.ts'].filter((file) => !existsSync(join(installed, file)))).toEqual([]);
    const files = execFileSync('find', [installed, '-type', 'f'], { encoding: 'utf8' });
    expect(files.match(/.*(?:\.spec\.|\.map$|\/testing\/|\/src\/).*/gm)).toBeNull();
  });

  it('relays, publishes and subscribes as its README shows, and tells a gap', async () => {
    const relay = run('relay.mjs', '0');
    await until(relay, '\n');
    const url = /listening on (\S+)/.exec(relay.output())![1];
    const { port } = new URL(url);
    await done('publish.mjs', port);
    await sleep(WINDOW_MS);
    const subscriber = run('subscribe.mjs', port);
    await until(subscriber, 'missed 0 to ');
    await done('publish.mjs', port);
    await until(subscriber, '15: ');
    expect((await fetch(`${url}hello`, { method: 'DELETE' })).status).toBe(200);
    expect(await subscriber.finished).toBe(0);
    const lines = subscriber.output().trim().split('\n');
    expect(lines[0]).toBe('missed 0 to 7 (window)');
    expect(lines.slice(1, -1)).toEqual(Array.from({ length: 8 }, (_, n) => `${n + 8}: line ${n}, in two pieces`));
    expect(lines.at(-1)).toBe('the channel has ended');
    relay.child.kill('SIGTERM');
    expect(await relay.finished).toBe(0);
  });

  it('asks for tokens where there are keys', async () => {
    expect((await done('keys.mjs', '0')).trim().split('\n')).toEqual([
      'with a token: segment 0',
      expect.stringMatching(/^without one: \w+$/),
    ]);
  });

  it('has types that need nothing but those of Node, and that find a slip', () => {
    const code = "import { createRelay, type TrickleLimits } from '@runnel/trickle';\n";
    writeFileSync(join(user, 'right.ts'), `${code}export const limits: Partial<TrickleLimits> = createRelay({}).hub.limits;\n`);
    writeFileSync(join(user, 'wrong.ts'), `${code}export const limits: Partial<TrickleLimits> = createRelay({}).hub.size;\n`);
    const check = (file: string) => {
      const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024', '--types', 'node'];
      const types = join(ROOT, 'node_modules', '@types');
      try {
        return execFileSync(join(ROOT, 'node_modules', '.bin', 'tsc'), [...options, '--typeRoots', types, file], {
          cwd: user,
          encoding: 'utf8',
        });
      } catch (error) {
        return (error as { stdout: string }).stdout;
      }
    };
    expect(check('right.ts')).toBe('');
    expect(check('wrong.ts')).toMatch(/^wrong\.ts\(2,.*TS2\d+/);
  });
});
