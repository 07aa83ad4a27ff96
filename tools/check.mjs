/** `npm run check`: types, lint with layer boundaries, format, unused code. Runs them all, then says which failed. */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** @type {[name: string, command: string, args: string[]][]} */
const steps = [
  ['types', 'nx', ['run-many', '-t', 'build', '--output-style=static']],
  ['types of tools', 'tsc', ['-p', 'tools']],
  ['lint and boundaries', 'oxlint', ['--type-aware', '--deny-warnings']],
  ['format', 'oxfmt', ['--check']],
  ['unused code', 'knip', []],
];

const failed = [];
for (const [name, command, args] of steps) {
  const started = performance.now();
  const done = spawnSync(join(root, 'node_modules', '.bin', command), args, {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, NX_DAEMON: 'false' },
    maxBuffer: 1 << 28,
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  process.stdout.write(`${done.status === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)\n`);
  if (done.status === 0) continue;
  failed.push(name);
  process.stdout.write(`${done.stdout ?? ''}${done.stderr ?? ''}${done.error ? `${done.error.message}\n` : ''}`);
}
if (failed.length > 0) {
  process.stdout.write(`\ncheck failed: ${failed.join(', ')}. \`npm run fix\` corrects format and what lint can.\n`);
  process.exit(1);
}
