import { RunnelError, toRunnelError } from '@runnel/errors';
import type { EndReason, WorkerEvent } from '@runnel/schemas';
import type { Publisher, SegmentWriter as OpenSegment, Subscriber } from '@runnel/trickle-core';
import { withDeadline, type PathClock } from '../path/clock.ts';
import { readControl } from './control.ts';
import { EventLog } from './event-log.ts';
import type { PathPort } from './messages.ts';

/** Input without a byte for this long ends a session. */
const INPUT_IDLE_MS = 300_000;
/** What each step of a session's end may take. */
const CLOSE_DEADLINE_MS = 5_000;

/** The channels of a session, and its frame path behind a port. */
export interface SessionPorts {
  videoIn: Subscriber;
  control: Subscriber;
  videoOut: Publisher;
  events: Publisher;
  path: PathPort;
}

/** The ports, the clock, and the deadlines that differ from the defaults. Times in milliseconds. */
export interface RunSessionOptions extends SessionPorts {
  clock: PathClock;
  /** Default INPUT_IDLE_MS. */
  inputIdleMs?: number;
  /** Default CLOSE_DEADLINE_MS. */
  closeDeadlineMs?: number;
  /** Hears of what goes wrong beside the stream (an event that could not be published), for logs. */
  onTrouble?: (error: RunnelError) => void;
}

/** Why a session is over. */
export interface SessionEnd {
  reason: EndReason;
  /** One sentence for people. */
  detail: string;
}

/** A session that runs. */
export interface RunningSession {
  /** Resolves when everything is closed. Never rejects. */
  readonly done: Promise<SessionEnd>;
  /** Ends the session; resolves when everything is closed. Idempotent: the first reason counts. */
  stop(reason: EndReason, detail?: string): Promise<SessionEnd>;
}

/** Joins a session's channels to its frame path, and sees both to their end. */
export function runSession(options: RunSessionOptions): RunningSession {
  const session = new Session(options);
  return { done: session.done, stop: (reason, detail) => session.stop(reason, detail) };
}

class Session {
  readonly done: Promise<SessionEnd>;
  readonly #options: RunSessionOptions;
  readonly #closeDeadlineMs: number;
  readonly #events: EventLog;
  readonly #abort = new AbortController();
  /** Resolved by whichever part wants the end first; later reasons do not count. */
  readonly #ending = Promise.withResolvers<SessionEnd>();
  #cancelIdle: () => void = () => undefined;
  #writer: OpenSegment | null = null;
  /** The end of the segment before, which the next one waits for, so that segments keep their order. */
  #ended: Promise<unknown> = Promise.resolve();

  constructor(options: RunSessionOptions) {
    this.#options = options;
    this.#closeDeadlineMs = options.closeDeadlineMs ?? CLOSE_DEADLINE_MS;
    this.#events = new EventLog(options.events, (error) => this.#trouble(error));
    this.done = this.#run();
  }

  stop(reason: EndReason, detail = 'The session was stopped.'): Promise<SessionEnd> {
    this.#ending.resolve({ reason, detail });
    return this.done;
  }

  async #run(): Promise<SessionEnd> {
    this.#emit({ type: 'stream_started', timestamp: this.#options.clock.nowMs() });
    this.#watchIdle();
    const input = this.#guard(this.#readInput());
    const control = this.#guard(this.#readControl());
    const output = this.#guard(this.#readPath());
    const end = await this.#ending.promise;

    this.#cancelIdle();
    this.#abort.abort();
    const { videoIn, control: controlIn, videoOut, events, path } = this.#options;
    // Readers that wait for room in the path are freed by its stop; its last words are still read.
    const stopped = this.#within('the frame path to stop', path.stop({ deadlineMs: this.#closeDeadlineMs }), 2 * this.#closeDeadlineMs);
    await this.#within('reading to end', Promise.all([videoIn.close(), controlIn.close(), input, control]));
    await stopped;
    await this.#within('the output to end', output);
    await this.#within('the last segment to end', this.#endSegment());
    await this.#within('the output channel to end', videoOut.close({ endChannel: true }));
    this.#emit({ type: 'stream_stopped', timestamp: this.#options.clock.nowMs(), ...end });
    await this.#within('the last events to leave', this.#events.flushed());
    // The channel stays for whoever still reads the last event; the broker ends it.
    await this.#within('the event channel to close', events.close());
    return end;
  }

  async #readInput(): Promise<void> {
    const { videoIn, path, clock } = this.#options;
    const { signal } = this.#abort;
    for (;;) {
      const next = await videoIn.next(signal);
      if (signal.aborted) return;
      if (next === null) break;
      this.#watchIdle();
      if (next.kind === 'gap') {
        const { from, to, reason } = next;
        this.#emit({ type: 'gap', timestamp: clock.nowMs(), from, to, reason });
        await path.send({ kind: 'discontinuity' });
        continue;
      }
      try {
        for await (const data of next.bytes) {
          if (signal.aborted) return;
          await path.send({ kind: 'bytes', data, receivedMs: clock.nowMs() });
        }
      } catch (error) {
        if (!(error instanceof RunnelError) || error.code !== 'segment_cut') throw error;
        this.#emit({
          type: 'warning',
          timestamp: clock.nowMs(),
          code: error.code,
          message: `Segment ${next.seq} was cut by its publisher.`,
        });
        await path.send({ kind: 'discontinuity' });
      }
    }
    await path.send({ kind: 'end' });
  }

  async #readControl(): Promise<void> {
    const { control, path, clock } = this.#options;
    try {
      await readControl({
        subscriber: control,
        signal: this.#abort.signal,
        onParams: (update) => path.send({ kind: 'params', ...update }),
        onWarning: (code, message) => this.#emit({ type: 'warning', timestamp: clock.nowMs(), code, message }),
      });
    } catch (error) {
      // A stream without its control channel goes on with the parameters that it has.
      const { code, message } = toRunnelError(error);
      if (!this.#abort.signal.aborted) this.#emit({ type: 'warning', timestamp: clock.nowMs(), code, message });
    }
  }

  async #readPath(): Promise<void> {
    for await (const output of this.#options.path.messages) {
      switch (output.kind) {
        case 'bytes':
          await this.#write(output.data);
          break;
        case 'cut':
          // Not waited for: the next segment has to, and has a frame's time for it.
          this.#ended = this.#endSegment();
          this.#ended.catch(() => undefined);
          break;
        case 'event':
          this.#emit(output.event);
          break;
        case 'done':
          this.#ending.resolve({ reason: output.reason, detail: output.detail });
          return;
      }
    }
    // A path that ends in order says `done` first.
    throw new RunnelError('media_child_died', { message: 'The frame path left without a word.' });
  }

  async #write(data: Uint8Array): Promise<void> {
    await this.#ended;
    this.#writer ??= await this.#options.videoOut.open();
    await this.#writer.write(data);
  }

  async #endSegment(): Promise<void> {
    const writer = this.#writer;
    this.#writer = null;
    await writer?.end();
  }

  /** Ends the session when one of its parts fails. */
  async #guard(part: Promise<void>): Promise<void> {
    try {
      await part;
    } catch (error) {
      if (!this.#abort.signal.aborted) this.#ending.resolve(endOf(toRunnelError(error)));
    }
  }

  #watchIdle(): void {
    this.#cancelIdle();
    const idleMs = this.#options.inputIdleMs ?? INPUT_IDLE_MS;
    const detail = `No input came for ${Math.round(idleMs / 1000)} s.`;
    this.#cancelIdle = this.#options.clock.setTimer(() => this.#ending.resolve({ reason: 'idle', detail }), idleMs);
  }

  #emit(event: WorkerEvent): void {
    this.#events.emit(event);
  }

  #trouble(error: unknown): void {
    this.#options.onTrouble?.(toRunnelError(error));
  }

  /** A step of the end that may fail or hang without keeping the others from theirs. */
  async #within(what: string, step: Promise<unknown>, deadlineMs = this.#closeDeadlineMs): Promise<void> {
    const late = () => new RunnelError('deadline_exceeded', { message: `Gave up waiting for ${what} after ${deadlineMs} ms.` });
    try {
      await withDeadline(step, { clock: this.#options.clock, deadlineMs, late });
    } catch (error) {
      this.#trouble(error);
    }
  }
}

/** How a session ends whose part failed with this. */
function endOf({ code, message }: RunnelError): SessionEnd {
  if (code === 'channel_not_found' || code === 'channel_closed')
    return { reason: 'stopped', detail: `A channel of the session is gone: ${message}` };
  if (code === 'processor_failed' || code === 'model_failed') return { reason: 'processor_failed', detail: message };
  return { reason: 'worker_lost', detail: message };
}
