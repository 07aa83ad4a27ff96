import { execFileSync } from 'node:child_process';
import { cpus, loadavg, platform, release, totalmem } from 'node:os';

/** What a figure depends on besides the code: machine, system, runtime, commit, and how busy the machine was before. */
export function conditions() {
  const git = (...args) => execFileSync('git', args, { encoding: 'utf8', cwd: import.meta.dirname }).trim();
  const dirty = git('status', '--porcelain') === '' ? '' : '+';
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()}`,
    node: process.version,
    commit: `${git('rev-parse', '--short', 'HEAD')}${dirty}`,
    loadBefore: Number((loadavg()[0] ?? 0).toFixed(2)),
  };
}

/** The middle of some numbers. */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}
