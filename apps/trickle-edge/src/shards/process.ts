import { type ChildProcess, fork } from 'node:child_process';
import type { Socket } from 'node:net';
import { RunnelError } from '@runnel/errors';
import { endsWithin } from '@runnel/service';
import { Calls } from './calls.ts';
import { type FromShard, fromWireError, type ShardStart, type ShardState, type ToShard } from './protocol.ts';
import { ConnectionSender } from './sender.ts';

/** How long a shard may take to listen, in milliseconds: a machine under load starts several at once. */
const START_DEADLINE_MS = 30_000;

/** A shard that says nothing for this long hangs and is killed, in milliseconds. It speaks once a second. */
const HANG_MS = 30_000;

/** How often silence is looked for, in milliseconds. */
const WATCH_MS = 1000;

/** What to start. */
export interface ShardProcessOptions {
  /** The compiled file. */
  readonly entry: URL;
  readonly start: ShardStart;
  /** Gives the start up: once it aborts, a process that does not listen yet is killed. Afterwards `close` is for that. */
  readonly signal: AbortSignal;
  /** Takes a connection that is for another shard, ready to be sent on. */
  readonly onElsewhere: (shard: number, socket: Socket, received: Buffer) => void;
}

/** One process of a shard, from its start to its end. */
export class ShardProcess {
  readonly calls: Calls;
  /** Resolves with what it died of when it is gone. Never rejects. */
  readonly exited: Promise<string>;
  /** What it has told last; null before the first time. */
  state: ShardState | null = null;
  /** Where it listens, and what clients are told, once it has started. */
  port = 0;
  url: string | null = null;
  readonly #child: ChildProcess;
  readonly #options: ShardProcessOptions;
  readonly #started = Promise.withResolvers<void>();
  readonly #sender: ConnectionSender;
  #silentMs = 0;

  private constructor(options: ShardProcessOptions) {
    this.#options = options;
    this.#child = fork(options.entry, [], { serialization: 'advanced', stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.#sender = new ConnectionSender(this.#child);
    this.calls = new Calls((message) => this.#send(message));
    const watch = setInterval(() => this.#watch(), WATCH_MS);
    this.#child.on('message', (message: FromShard, socket?: Socket) => this.#hear(message, socket));
    this.exited = new Promise((resolve) => {
      const gone = (how: string) => {
        clearInterval(watch);
        const error = new RunnelError('no_responder', { message: `Shard ${options.start.index} of the edge is gone: ${how}.` });
        this.calls.lost(error);
        this.#started.reject(error);
        this.#sender.lost();
        resolve(how);
      };
      // After 'exit', once its last messages have been read.
      this.#child.once('close', (code, signal) => gone(signal === null ? `exit code ${code}` : `signal ${signal}`));
      this.#child.once('error', (error) => gone(error.message));
    });
  }

  /**
   * Starts a shard; resolves when it listens.
   * @throws RunnelError what it throws at its start, `deadline_exceeded`, `no_responder`. No process is left then.
   */
  static async start(options: ShardProcessOptions): Promise<ShardProcess> {
    const shard = new ShardProcess(options);
    shard.#send({ kind: 'start', start: options.start });
    const giveUp = () => void shard.kill();
    options.signal.addEventListener('abort', giveUp, { once: true });
    try {
      if (!(await endsWithin(shard.#started.promise, START_DEADLINE_MS))) {
        const message = `Shard ${options.start.index} does not listen after ${START_DEADLINE_MS} ms.`;
        throw new RunnelError('deadline_exceeded', { message });
      }
      return shard;
    } catch (error) {
      await shard.kill();
      throw error;
    } finally {
      options.signal.removeEventListener('abort', giveUp);
    }
  }

  /** Number of the process. */
  get pid(): number {
    return this.#child.pid!;
  }

  /** Sends a connection that is detached, and what was read from it. */
  give(socket: Socket, received: Buffer): void {
    this.#sender.give({ kind: 'connection', received }, socket);
  }

  /** Asks it to leave, and kills it after the deadline. Idempotent. */
  async close({ deadlineMs }: { deadlineMs: number }): Promise<void> {
    await this.calls.call('close', null, { deadlineMs }).catch(() => {});
    if (!(await endsWithin(this.exited, deadlineMs))) await this.kill();
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exited;
  }

  #send(message: ToShard): void {
    // Whoever waits for an answer learns by the end of the process that there is none.
    if (this.#child.connected) this.#child.send(message, () => {});
  }

  #hear(message: FromShard, socket: Socket | undefined): void {
    this.#silentMs = 0;
    switch (message.kind) {
      case 'started':
        this.port = message.port;
        this.url = message.url;
        return this.#started.resolve();
      case 'failed':
        return this.#started.reject(fromWireError(message.error));
      case 'state':
        this.state = message.state;
        return;
      case 'elsewhere':
        if (socket !== undefined) this.#options.onElsewhere(message.shard, socket, Buffer.from(message.received));
        return;
      case 'reply':
      case 'refusal':
        return this.calls.answered(message);
    }
  }

  #watch(): void {
    this.#silentMs += WATCH_MS;
    if (this.#silentMs > HANG_MS) this.#child.kill('SIGKILL');
  }
}
