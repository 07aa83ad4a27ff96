import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** The compiled entry: what operators run. */
const MAIN = join(import.meta.dirname, '..', '..', 'dist', 'main.js');
/** An edge that does not end by itself is killed after this long, ms. */
const DEADLINE_MS = 60_000;

/** An edge in a process of its own. */
export interface EdgeProcess {
  readonly child: ChildProcess;
  /** Everything that it wrote so far, both streams. */
  readonly output: () => string;
  /** Waits for a log line whose message is this; rejects when the process ends without. */
  logged(message: string): Promise<Record<string, unknown>>;
  readonly finished: Promise<number | null>;
}

/** Starts the edge as an operator does. Ports are free ones, and nothing is warmed up, unless `env` says otherwise. */
export function startEdgeProcess(env: Record<string, string>): EdgeProcess {
  const child = spawn(process.execPath, [MAIN], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], EDGE_PORT: '0', EDGE_OPS_PORT: '0', EDGE_WARM_UP_MS: '0', ...env },
  });
  let output = '';
  const waiting = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      for (const look of waiting) look();
    });
  }
  const deadline = setTimeout(() => child.kill('SIGKILL'), DEADLINE_MS);
  const finished = (async () => {
    const [code] = (await once(child, 'close')) as [number | null];
    clearTimeout(deadline);
    for (const look of waiting) look();
    return code;
  })();
  const find = (message: string) => {
    const line = output.split('\n').find((text) => text.endsWith(`"msg":"${message}"}`));
    return line === undefined ? null : (JSON.parse(line) as Record<string, unknown>);
  };
  return {
    child,
    output: () => output,
    logged: (message) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const line = find(message);
          if (line !== null) resolve(line);
          else if (child.exitCode !== null || child.signalCode !== null) reject(new Error(`ended without '${message}':\n${output}`));
          else return;
          waiting.delete(look);
        };
        waiting.add(look);
        look();
      }),
    finished,
  };
}
