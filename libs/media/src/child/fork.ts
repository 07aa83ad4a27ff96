import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { RunnelError } from '@runnel/errors';
import { CLOCK_ENV, clockEpochMs } from './clock.ts';
import { Lane } from './lane.ts';
import { watchMemory } from './memory.ts';
import { fromWireError, type Envelope } from './protocol.ts';

/** What a child inherits from our environment; nothing else does, so no secret reaches a process that parses hostile media. */
const INHERITED_ENV = ['PATH', 'HOME', 'TMPDIR', 'TZ', 'LANG', 'SystemRoot', 'LD_LIBRARY_PATH', 'CUDA_VISIBLE_DEVICES'] as const;
/** How much of a child's last words on stderr is kept for the error's cause. */
const STDERR_TAIL_CHARS = 4096;

/** What to start, and the limits that it lives under. */
export interface ForkChildOptions {
  /** The compiled file to fork, from `childEntry`. It calls `serveChild`. */
  entry: URL;
  /** Names the child in errors: "recorder". */
  name: string;
  /** Given to the child's handler; anything that the structured clone algorithm can copy. */
  init: unknown;
  /** The child must be ready within this time. */
  startDeadlineMs: number;
  /** The child is killed when its resident memory grows over this (checked twice a second). */
  memoryCapMb: number;
  /** Gives a start up: once it aborts, a child that is not ready yet is killed. Afterwards `stop` is for that. */
  signal?: AbortSignal;
}

/** How a child left. */
export interface ChildExit {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** Null when it finished its work or was asked to stop; else what it died of (`media_child_died` or its own error). */
  error: RunnelError | null;
}

/** A running, supervised child process. */
export interface ChildHandle {
  readonly pid: number;
  /** Resolves when there is room for more: wait for it. @throws RunnelError that the child died of, `media_child_died` once it is gone. */
  send(message: unknown): Promise<void>;
  /** What the child sends; ends when it leaves, throws the RunnelError that it died of. Read once. */
  readonly messages: AsyncIterable<unknown>;
  /** Resolves when the process is gone. Never rejects. */
  readonly exited: Promise<ChildExit>;
  /** Asks the child to finish, kills it after the deadline, resolves when it is gone. Idempotent. */
  stop(options: { deadlineMs: number }): Promise<void>;
}

/**
 * Starts a child process and resolves when it is ready.
 * @throws RunnelError what the child threw at its start, `deadline_exceeded`, `media_child_died`, or `shutting_down` when the signal
 * aborted. No process is left then.
 */
export async function forkChild(options: ForkChildOptions): Promise<ChildHandle> {
  const child = start(options);
  const lane = new Lane((envelope) => write(child, options.name, envelope));
  /** What the child died of, as far as it is known; the first reason is the true one, later ones follow from it. */
  let failure: RunnelError | null = null;
  /** We asked it to stop: then its leaving is no failure. */
  let asked = false;
  let stderr = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-STDERR_TAIL_CHARS)));

  const kill = (error: RunnelError): void => {
    failure ??= error;
    child.kill('SIGKILL');
  };
  const unwatch =
    child.pid === undefined
      ? () => undefined
      : watchMemory(child.pid, options.memoryCapMb, (rssMb) =>
          kill(died(options.name, `it used ${Math.round(rssMb)} MiB, over its cap of ${options.memoryCapMb} MiB`)),
        );

  const ready = Promise.withResolvers<void>();
  const exited = new Promise<ChildExit>((resolve) => {
    const gone = (code: number | null, signal: NodeJS.Signals | null): void => {
      unwatch();
      if (!asked && code !== 0) failure ??= died(options.name, signal === null ? `exit code ${code}` : `signal ${signal}`, stderr);
      // The child's own error outlives the request to stop; a kill at the deadline of `stop` does not count as a death.
      lane.end(failure);
      lane.refuse(failure ?? died(options.name, 'it has left'));
      ready.reject(failure ?? died(options.name, 'it left before it was ready'));
      resolve({ code, signal, error: failure });
    };
    // 'close' comes after 'exit' once pipes are drained: the last messages have been read.
    child.once('close', gone);
    child.once('error', (error) => {
      failure ??= died(options.name, error.message);
      if (child.pid === undefined) gone(null, null);
    });
  });
  child.on('message', (envelope: Envelope) => {
    if (envelope.type === 'ready') ready.resolve();
    else if (envelope.type === 'failed') failure ??= fromWireError(envelope.error);
    else if (envelope.type === 'message' || envelope.type === 'ack') lane.receive(envelope);
  });

  const deadline = setTimeout(
    () =>
      kill(
        new RunnelError('deadline_exceeded', { message: `The ${options.name} process was not ready in ${options.startDeadlineMs} ms.` }),
      ),
    options.startDeadlineMs,
  );
  const giveUp = (): void => kill(new RunnelError('shutting_down', { message: `The start of the ${options.name} process was given up.` }));
  options.signal?.addEventListener('abort', giveUp, { once: true });
  if (options.signal?.aborted === true) giveUp();
  try {
    // A child that dies at once also fails this write; what counts then is how it died.
    write(child, options.name, { type: 'init', init: options.init }).catch(() => undefined);
    await ready.promise;
  } catch (error) {
    child.kill('SIGKILL');
    await exited;
    throw error;
  } finally {
    clearTimeout(deadline);
    options.signal?.removeEventListener('abort', giveUp);
  }

  return {
    pid: child.pid!,
    send: async (message) => {
      try {
        await lane.send(message);
      } catch (error) {
        // Its end tells why; a closed channel does not.
        if (!child.connected) throw (await exited).error ?? error;
        throw error;
      }
    },
    messages: lane.messages(),
    exited,
    stop: async ({ deadlineMs }) => {
      if (!asked) {
        asked = true;
        lane.drainUnread();
        // It may be gone already.
        write(child, options.name, { type: 'stop' }).catch(() => undefined);
      }
      const timer = setTimeout(() => child.kill('SIGKILL'), deadlineMs);
      await exited;
      clearTimeout(timer);
    },
  };
}

function start({ entry, memoryCapMb }: ForkChildOptions): ChildProcess {
  const env: NodeJS.ProcessEnv = { [CLOCK_ENV]: String(clockEpochMs) };
  for (const name of INHERITED_ENV) if (process.env[name] !== undefined) env[name] = process.env[name];
  return fork(fileURLToPath(entry), [], {
    serialization: 'advanced',
    env,
    // Where resident memory cannot be watched, V8's own limit must do.
    execArgv: process.platform === 'linux' ? [] : [`--max-old-space-size=${memoryCapMb}`],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    // A process group of its own: Ctrl-C in a terminal stops the parent, which then stops its children in order.
    detached: process.platform !== 'win32',
  });
}

function write(child: ChildProcess, name: string, envelope: Envelope): Promise<void> {
  return new Promise((resolve, reject) => {
    if (!child.connected) {
      reject(died(name, 'it has left'));
      return;
    }
    child.send(envelope, (error) => (error === null ? resolve() : reject(died(name, 'it has left', error))));
  });
}

function died(name: string, how: string, cause?: unknown): RunnelError {
  return new RunnelError('media_child_died', { message: `The ${name} process died: ${how}.`, cause });
}
