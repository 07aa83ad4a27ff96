import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Numbers of a list like `0-3,8`. */
export function parseList(list) {
  return list.split(',').flatMap((part) => {
    const [from, to = from] = part.split('-').map(Number);
    return Array.from({ length: to - from + 1 }, (_, n) => from + n);
  });
}

/**
 * The cores for servers and generator: the first two that this process may use. Null where processes cannot be pinned, or where there is only one core.
 */
export function findCores() {
  if (process.platform !== 'linux' || spawnSync('taskset', ['-p', String(process.pid)]).status !== 0) return null;
  const allowed = /^Cpus_allowed_list:\s+(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  const [server, generator] = parseList(allowed ?? '');
  return generator === undefined ? null : { server, generator };
}

/** A command that runs on one core; as it is when `core` is undefined. */
export function pinned(core, command, args) {
  return core === undefined ? [command, args] : ['taskset', ['-c', String(core), command, ...args]];
}

/** Open files that a process here may have; null where it cannot be told. */
export function fileLimit() {
  try {
    const limit = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return limit === undefined ? null : Number(limit);
  } catch {
    return null;
  }
}
