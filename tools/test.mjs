/**
 * `npm test [-- jest arguments]`: builds (child processes run the compiled code), then runs Jest on the sources: first everything but
 * the end-to-end tests, two files at a time; then those, one at a time, because they play video at its real pace and need the machine.
 * Ends with the line `N passed, N failed, N skipped`.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const report = join(tmpdir(), `runnel-jest-${process.pid}.json`);

function run(command, args) {
  const env = { ...process.env, NODE_NO_WARNINGS: '1', NX_DAEMON: 'false' };
  return spawnSync(command, args, { cwd: root, stdio: 'inherit', env }).status ?? 1;
}

/** Runs Jest once and adds what it counted to the totals. */
function jest(args, totals) {
  const binary = join(root, 'node_modules', 'jest', 'bin', 'jest.js');
  rmSync(report, { force: true });
  const status = run('node', ['--experimental-vm-modules', binary, '--json', `--outputFile=${report}`, '--passWithNoTests', ...args]);
  try {
    const result = JSON.parse(readFileSync(report, 'utf8'));
    totals.passed += result.numPassedTests;
    // A suite that cannot even be loaded has no failed test of its own, and must count.
    totals.failed += result.numFailedTests + result.numRuntimeErrorTestSuites;
    totals.skipped += result.numPendingTests;
  } catch {
    totals.failed += 1;
  }
  rmSync(report, { force: true });
  return status;
}

if (run('node', [join(root, 'tools', 'setup.mjs'), '--build']) !== 0) process.exit(1);
const totals = { passed: 0, failed: 0, skipped: 0 };
const args = process.argv.slice(2);
const statuses = [
  jest(['--testPathIgnorePatterns', '/node_modules/', '/dist/', '\\.e2e\\.spec\\.ts$', ...args], totals),
  jest(['--runInBand', '--testMatch', '**/*.e2e.spec.ts', ...args], totals),
];
process.stdout.write(`\n${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped\n`);
process.exit(statuses.every((status) => status === 0) && totals.failed === 0 && totals.passed > 0 ? 0 : 1);
