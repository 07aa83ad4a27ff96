import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { RunnelError } from '@runnel/errors';
import type { Logger } from '@runnel/service';
import { type Argument, CALL_DEADLINE_MS, type Result } from './calls.ts';
import { ShardProcess } from './process.ts';
import type { ShardCalls, ShardStart, ShardState } from './protocol.ts';
import { refuse } from './refuse.ts';

/** Pause before a shard that died is started again, in milliseconds: twice as long each time it does not last. */
const FIRST_PAUSE_MS = 200;
const MAX_PAUSE_MS = 10_000;

/** A shard that has run this long is taken for sound again, in milliseconds. */
const SOUND_MS = 30_000;

/** What a shard is kept running with. */
export interface ShardSlotOptions {
  readonly entry: URL;
  readonly start: ShardStart;
  readonly logger: Logger;
  readonly onElsewhere: (shard: number, socket: Socket, received: Buffer) => void;
  /** Called when the process is gone, and with it every channel of this shard. */
  readonly onLost: (shard: number) => void;
}

/** One shard: a process, and the next one when that dies. */
export class ShardSlot {
  readonly #options: ShardSlotOptions;
  readonly #closing = new AbortController();
  #process: ShardProcess | null = null;
  /** Keeps the port of the first process, so that old URLs end in "not found" and not in somebody else's program. */
  #port: number;
  #pauseMs = FIRST_PAUSE_MS;
  #draining = false;
  #supervision: Promise<void> = Promise.resolve();

  constructor(options: ShardSlotOptions) {
    this.#options = options;
    this.#port = options.start.port;
  }

  /** Base URL that clients are told; null when they are told the plain address, or the shard is down. */
  get url(): string | null {
    return this.#process?.url ?? null;
  }

  /** Its process; null while it is down. */
  get pid(): number | null {
    return this.#process?.pid ?? null;
  }

  /** Where it listens, or did last. */
  get port(): number {
    return this.#port;
  }

  /** What it has told last; null while it is down or new. */
  get state(): ShardState | null {
    return this.#process?.state ?? null;
  }

  /** Starts it. @throws RunnelError as `ShardProcess.start`. */
  async start(): Promise<void> {
    const process = await this.#startProcess();
    this.#supervision = this.#supervise(process);
  }

  /** As `Calls.call`. @throws RunnelError also `no_responder` while it is down. */
  async call<K extends keyof ShardCalls>(name: K, argument: Argument<K>, options: { deadlineMs?: number } = {}): Promise<Result<K>> {
    if (this.#process === null) throw this.#down();
    return this.#process.calls.call(name, argument, options);
  }

  /**
   * Makes no new channels, and is not started again when it dies. Resolves when it has no channel left or at the deadline, with the number
   * left. Never rejects: one that dies has none.
   */
  async drain({ deadlineMs }: { deadlineMs: number }): Promise<number> {
    this.#draining = true;
    return this.call('drain', { deadlineMs }, { deadlineMs: deadlineMs + CALL_DEADLINE_MS }).catch(() => 0);
  }

  /** Sends a detached connection to it, or answers 503 while it is down. */
  give(socket: Socket, received: Buffer): void {
    if (this.#process === null) refuse(socket);
    else this.#process.give(socket, received);
  }

  /** Ends it for good; kills it after the deadline. Idempotent. */
  async close({ deadlineMs }: { deadlineMs: number }): Promise<void> {
    this.#closing.abort();
    await this.#process?.close({ deadlineMs });
    await this.#supervision;
  }

  async #startProcess(): Promise<ShardProcess> {
    const { entry, onElsewhere } = this.#options;
    const start = { ...this.#options.start, port: this.#port };
    const process = await ShardProcess.start({ entry, onElsewhere, start, signal: this.#closing.signal });
    this.#process = process;
    this.#port = process.port;
    return process;
  }

  async #supervise(first: ShardProcess): Promise<void> {
    const { logger, onLost } = this.#options;
    const { index } = this.#options.start;
    let process: ShardProcess | null = first;
    while (process !== null) {
      const startedMs = performance.now();
      const how = await process.exited;
      this.#process = null;
      if (this.#closing.signal.aborted) return;
      logger.error({ shard: index, how }, 'a shard is gone, and its channels with it');
      onLost(index);
      if (this.#draining) return;
      if (performance.now() - startedMs > SOUND_MS) this.#pauseMs = FIRST_PAUSE_MS;
      process = await this.#restart();
    }
  }

  async #restart(): Promise<ShardProcess | null> {
    const { logger } = this.#options;
    const { index } = this.#options.start;
    for (;;) {
      await sleep(this.#pauseMs, null, { signal: this.#closing.signal }).catch(() => {});
      if (this.#closing.signal.aborted) return null;
      this.#pauseMs = Math.min(this.#pauseMs * 2, MAX_PAUSE_MS);
      try {
        const process = await this.#startProcess();
        logger.info({ shard: index, pid: process.pid, port: process.port, url: process.url }, 'the shard is back');
        return process;
      } catch (err) {
        if (this.#closing.signal.aborted) return null;
        // A free port that somebody else has taken meanwhile is not worth an outage.
        if (this.#options.start.port === 0) this.#port = 0;
        logger.error({ err, shard: index, pauseMs: this.#pauseMs }, 'the shard cannot be started');
      }
    }
  }

  #down(): RunnelError {
    return new RunnelError('no_responder', { message: `Shard ${this.#options.start.index} of the edge is being started again.` });
  }
}
