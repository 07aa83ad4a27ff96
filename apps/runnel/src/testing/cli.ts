import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What a finished command left. */
export interface CliResult {
  code: number | null;
  stdout: string;
  stderr: string;
  /** Processes of the command that still ran after it had ended, and files in its temporary folder. */
  leftBehind: string[];
}

/** How a command is run. */
export interface CliOptions {
  cwd?: string;
  /** It is killed after this long. Default: a minute. */
  deadlineMs?: number;
  /** Added to the environment. */
  env?: Record<string, string>;
}

/** A command that runs. */
export interface RunningCli {
  readonly child: ChildProcess;
  /** Waits until stdout and stderr together match, and gives the match. */
  until(pattern: RegExp): Promise<RegExpExecArray>;
  /** Sends a signal to the command's main process. */
  signal(name: NodeJS.Signals): void;
  finished: Promise<CliResult>;
}

/** The compiled entry: what people run. */
const MAIN = join(import.meta.dirname, '..', '..', 'dist', 'main.js');
/** Grace for children that are on their way out when the parent has ended, ms. */
const GRACE_MS = 1500;

/**
 * Starts the command line with a temporary folder of its own. Its children inherit the name of that folder, which is how they are found
 * (on Linux) if any of them outlives it.
 */
export function startCli(args: string[], options: CliOptions = {}): RunningCli {
  const folder = mkdtempSync(join(tmpdir(), 'runnel-cli-'));
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: options.cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env, NODE_OPTIONS: '', TMPDIR: folder },
  });
  let stdout = '';
  let stderr = '';
  const listeners = new Set<() => void>();
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
    for (const listener of listeners) listener();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
    for (const listener of listeners) listener();
  });
  const deadline = setTimeout(() => child.kill('SIGKILL'), options.deadlineMs ?? 60_000);
  const finished = (async (): Promise<CliResult> => {
    const [code] = (await once(child, 'close')) as [number | null];
    clearTimeout(deadline);
    const leftBehind = [...(await survivors(folder)), ...readdirSync(folder)];
    rmSync(folder, { recursive: true, force: true });
    for (const listener of listeners) listener();
    return { code, stdout, stderr, leftBehind };
  })();
  return {
    child,
    signal: (name) => child.kill(name),
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const match = pattern.exec(stdout) ?? pattern.exec(stderr);
          if (match === null && child.exitCode === null) return;
          listeners.delete(look);
          if (match === null) reject(new Error(`ended without ${String(pattern)}:\n${stdout}\n${stderr}`));
          else resolve(match);
        };
        listeners.add(look);
        look();
      }),
    finished,
  };
}

/** Runs the command line to its end. */
export function runCli(args: string[], options: CliOptions = {}): Promise<CliResult> {
  return startCli(args, options).finished;
}

/** Processes whose environment names the folder, after a grace period; they are ended. */
async function survivors(folder: string): Promise<string[]> {
  const until = performance.now() + GRACE_MS;
  let found = processesOf(folder);
  while (found.length > 0 && performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    found = processesOf(folder);
  }
  for (const pid of found) process.kill(pid, 'SIGKILL');
  return found.map((pid) => `process ${pid}`);
}

function processesOf(folder: string): number[] {
  if (process.platform !== 'linux') {
    process.stderr.write('Not Linux: whether the command left processes behind is not checked, as their environment cannot be read.\n');
    return [];
  }
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`TMPDIR=${folder}`);
      } catch {
        return false; // It has ended meanwhile.
      }
    });
}
