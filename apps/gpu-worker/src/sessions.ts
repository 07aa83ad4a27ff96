import { RunnelError } from '@runnel/errors';
import { childEntry, epochMs, forkChild, type ChildHandle } from '@runnel/media';
import type { EndReason, StartSession } from '@runnel/schemas';
import type { Logger } from '@runnel/service';
import { createPublisher, createSubscriber } from '@runnel/trickle-http';
import {
  parseParams,
  runSession,
  systemClock,
  type PathOutput,
  type ProcessorDefinition,
  type RunningSession,
  type SessionEnd,
} from '@runnel/worker';
import type { ChildInit } from './child-init.ts';
import type { GpuWorkerConfig } from './config.ts';

/** What a session that is being shut down may take for each of its steps. */
const CLOSE_DEADLINE_MS = 3_000;

interface Slot {
  /** Null while the child starts. */
  session: RunningSession | null;
  /** Set when the session is to end before it has begun. */
  cancelled: EndReason | null;
  /** Gives up a child that still loads. */
  readonly giveUp: AbortController;
  /** Resolves when the slot is free again. */
  over: Promise<void>;
}

/** What the slots are run with. `modules` are the paths of processor modules, which each child loads by itself: code does not cross. */
export interface WorkerSessionsOptions {
  config: GpuWorkerConfig;
  logger: Logger;
  processors: ReadonlyMap<string, ProcessorDefinition>;
  modules: string[];
  /** Told once a session that was accepted is over and its slot is free. */
  onEnded: (sessionId: string, end: SessionEnd) => Promise<void>;
}

/** The slots of a worker: a session each, in a child process of its own. */
export class WorkerSessions {
  readonly #options: WorkerSessionsOptions;
  readonly #slots = new Map<string, Slot>();
  #closing = false;

  constructor(options: WorkerSessionsOptions) {
    this.#options = options;
  }

  /** Slots that a new session could take. */
  get free(): number {
    return this.#closing ? 0 : this.#options.config.WORKER_SLOTS - this.#slots.size;
  }

  /**
   * Starts a session; resolves when its child reads. A slot counts as taken from the first moment.
   * @throws RunnelError `no_capacity`, `unknown_processor`, `invalid_params`, `shutting_down`, `session_ended` (stopped meanwhile), and what the
   * processor's load throws.
   */
  async start(request: StartSession): Promise<void> {
    const { sessionId, processor } = request;
    if (this.#closing) throw new RunnelError('shutting_down', { message: 'This worker is shutting down.' });
    if (this.#slots.has(sessionId)) throw new RunnelError('invalid_request', { message: `Session ${sessionId} runs here already.` });
    const definition = this.#options.processors.get(processor);
    if (definition === undefined) throw new RunnelError('unknown_processor', { message: `There is no processor '${processor}'.` });
    parseParams(definition, request.params);
    if (this.free <= 0)
      throw new RunnelError('no_capacity', { message: `All ${this.#options.config.WORKER_SLOTS} slots of this worker are taken.` });
    const started = Promise.withResolvers<void>();
    const slot: Slot = { session: null, cancelled: null, giveUp: new AbortController(), over: Promise.resolve() };
    this.#slots.set(sessionId, slot);
    slot.over = this.#live(request, slot, started);
    await started.promise;
  }

  /** Ends a session; resolves when its child is gone. False when there is none. */
  async stop(sessionId: string, reason: EndReason): Promise<boolean> {
    const slot = this.#slots.get(sessionId);
    if (slot === undefined) return false;
    slot.cancelled ??= reason;
    slot.giveUp.abort();
    await slot.session?.stop(reason);
    await slot.over;
    return true;
  }

  /** Ends all sessions and takes no more. Idempotent; resolves when no child is left. */
  async close(): Promise<void> {
    this.#closing = true;
    await Promise.all([...this.#slots.keys()].map((sessionId) => this.stop(sessionId, 'shutdown')));
  }

  /** The whole life of a slot. Never rejects: a failed start rejects `started` instead. */
  async #live(request: StartSession, slot: Slot, started: PromiseWithResolvers<void>): Promise<void> {
    const { sessionId } = request;
    const { logger } = this.#options;
    let child: ChildHandle;
    try {
      child = await this.#fork(request, slot.giveUp.signal);
    } catch (error) {
      this.#slots.delete(sessionId);
      const ended = new RunnelError('session_ended', { message: 'The session was stopped while its processor loaded.', cause: error });
      started.reject(slot.cancelled === null ? error : ended);
      return;
    }
    const session = this.#join(request, child);
    slot.session = session;
    started.resolve();
    if (slot.cancelled !== null) await session.stop(slot.cancelled);
    const end = await session.done;
    await child.exited;
    this.#slots.delete(sessionId);
    logger.info({ sessionId, ...end }, 'session ended');
    await this.#options.onEnded(sessionId, end);
  }

  async #fork({ processor, params, output, trace }: StartSession, signal: AbortSignal): Promise<ChildHandle> {
    const { config, modules } = this.#options;
    const tuning = { onError: config.WORKER_ON_ERROR, queueDepth: config.WORKER_QUEUE_DEPTH };
    const init: ChildInit = { session: { processor, params, output, trace }, modules, tuning };
    return forkChild({
      entry: childEntry(import.meta.url, './path.child.js'),
      name: 'frame path',
      init,
      startDeadlineMs: config.WORKER_START_DEADLINE_MS,
      memoryCapMb: config.WORKER_MEMORY_MB,
      signal,
    });
  }

  #join({ sessionId, urls }: StartSession, child: ChildHandle): RunningSession {
    const { config, logger } = this.#options;
    return runSession({
      // The publisher may have begun already: its segment at hand holds the latest keyframe more often than not.
      videoIn: createSubscriber({ url: urls.videoIn, start: 'current' }),
      control: createSubscriber({ url: urls.control, start: 'current' }),
      videoOut: createPublisher({ url: urls.videoOut, mimeType: 'video/mp2t' }),
      events: createPublisher({ url: urls.events, mimeType: 'application/json' }),
      path: { send: (input) => child.send(input), messages: child.messages as AsyncIterable<PathOutput>, stop: (how) => child.stop(how) },
      clock: { ...systemClock, nowMs: epochMs },
      inputIdleMs: config.WORKER_IDLE_MS,
      closeDeadlineMs: CLOSE_DEADLINE_MS,
      onTrouble: (error) => logger.warn({ err: error, sessionId }, 'session trouble'),
    });
  }
}
