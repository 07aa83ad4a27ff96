import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The repository. */
export const ROOT = join(import.meta.dirname, '..', '..', '..', '..');
/** The compiled command line. */
export const MAIN = join(ROOT, 'apps', 'runnel', 'dist', 'main.js');

/** The commands of a page's `sh` blocks, continuation lines joined, comments and what follows them cut. */
export function commandsOf(page: string): string[] {
  const text = readFileSync(join(ROOT, page), 'utf8');
  const blocks = [...text.matchAll(/```sh\n([\s\S]*?)```/g)].map((match) => match[1]);
  return blocks
    .flatMap((block) => block.replace(/\\\n\s*/g, ' ').split('\n'))
    .map((line) => line.replace(/\s{2,}#.*$/, '').trim())
    .filter((line) => line !== '');
}

/** Runs one line of shell. */
export type Shell = (line: string) => Promise<{ code: number | null; output: string }>;

/** A shell in a folder, which finds a `curl` also on a machine without. */
export function createShell(folder: string): Shell {
  const env = { ...process.env, PATH: pathWithCurl(folder) };
  return async (line) => {
    const child = spawn('bash', ['-c', `set -o pipefail; ${line}`], {
      cwd: folder,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 60_000,
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString('latin1')));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString('latin1')));
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, output };
  };
}

/** Makes sure that a line of shell finds `curl`, and says which one it is when the machine has none. */
function pathWithCurl(folder: string): string {
  const path = process.env['PATH'] ?? '';
  if (spawnSync('curl', ['--version']).error === undefined) return path;
  const bin = join(folder, 'bin');
  mkdirSync(bin, { recursive: true });
  const script = join(import.meta.dirname, 'curl.mjs');
  writeFileSync(join(bin, 'curl'), `#!/bin/sh\nexec '${process.execPath}' '${script}' "$@"\n`, { mode: 0o755 });
  process.stderr.write('This machine has no curl: the documents run with a stand-in made of fetch.\n');
  return `${bin}:${path}`;
}
