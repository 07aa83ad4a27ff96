/**
 * `npm test [-- jest arguments]`: builds (child processes run the compiled code), then runs Jest on the sources and prints the
 * closing line `N passed, N failed, N skipped`.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const report = join(tmpdir(), `runnel-jest-${process.pid}.json`);

function run(command, args) {
  return (
    spawnSync(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, NODE_NO_WARNINGS: '1', NX_DAEMON: 'false' } }).status ??
    1
  );
}

const built = run('node', [join(root, 'tools', 'setup.mjs'), '--build']);
if (built !== 0) process.exit(built);
const status = run('node', [
  '--experimental-vm-modules',
  join(root, 'node_modules', 'jest', 'bin', 'jest.js'),
  '--json',
  `--outputFile=${report}`,
  ...process.argv.slice(2),
]);
try {
  const result = JSON.parse(readFileSync(report, 'utf8'));
  // A suite that cannot even be loaded has no failed test of its own, and must count.
  const failed = result.numFailedTests + result.numRuntimeErrorTestSuites;
  process.stdout.write(`\n${result.numPassedTests} passed, ${failed} failed, ${result.numPendingTests} skipped\n`);
} finally {
  rmSync(report, { force: true });
}
process.exit(status);
