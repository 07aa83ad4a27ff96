import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** Ticks of the times in `/proc/PID/stat`: 100 a second on every Linux (USER_HZ). */
const TICK_MS = 10;

/** User and system time that a line of `/proc/PID/stat` tells, ms. The command's name may hold anything, so it is passed over from its end. */
export function parseStat(line) {
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** Seconds that `ps -o cputime` prints (`[dd-][hh:]mm:ss[.cc]`), in ms. */
export function parseCpuTime(text) {
  const [days, clock] = text.includes('-') ? text.split('-') : ['0', text];
  const seconds = clock.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
  return (Number(days) * 86_400 + seconds) * 1000;
}

/** A process and all below it. */
function tree(pid) {
  const tasks = `/proc/${pid}/task`;
  const children = readdirSync(tasks).flatMap((task) => {
    const list = `${tasks}/${task}/children`;
    return existsSync(list) ? readFileSync(list, 'utf8').split(' ').filter(Boolean).map(Number) : [];
  });
  return [pid, ...children.flatMap(tree)];
}

function linuxUsage(pid) {
  const usage = { cpuMs: 0, rssBytes: 0 };
  for (const one of tree(pid)) {
    usage.cpuMs += parseStat(readFileSync(`/proc/${one}/stat`, 'utf8'));
    usage.rssBytes += Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${one}/status`, 'utf8'))?.[1] ?? 0) * 1024;
  }
  return usage;
}

/**
 * CPU time (user and system) that a process and its children have taken since their start, and the memory that is resident now.
 * Null where that cannot be told: no such process, or a system without `/proc` and `ps`.
 */
export function usageOf(pid) {
  if (pid === null) return null;
  try {
    if (process.platform === 'linux') return linuxUsage(pid);
    const [cpuTime, kib] = execFileSync('ps', ['-o', 'cputime=,rss=', '-p', String(pid)], { encoding: 'utf8' })
      .trim()
      .split(/\s+/);
    return { cpuMs: parseCpuTime(cpuTime), rssBytes: Number(kib) * 1024 };
  } catch {
    return null;
  }
}

/**
 * Time that a core has been busy since the start of the machine, whoever with, that stolen by the host included, ms; null where that cannot be told. `text`: `/proc/stat`.
 */
export function parseCoreBusy(text, core) {
  const fields = new RegExp(`^cpu${core} (.*)$`, 'm').exec(text)?.[1]?.split(' ').map(Number);
  if (fields === undefined) return null;
  const [user, nice, system, , , interrupts, softInterrupts, stolen] = fields;
  return (user + nice + system + interrupts + softInterrupts + stolen) * TICK_MS;
}

/** `parseCoreBusy` of now; null for no core. */
export function coreBusyMs(core) {
  return core === undefined || process.platform !== 'linux' ? null : parseCoreBusy(readFileSync('/proc/stat', 'utf8'), core);
}
