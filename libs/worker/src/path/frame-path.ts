import { RunnelError, toRunnelError } from '@runnel/errors';
import { TICKS_PER_SECOND, type MediaDriver, type Picture, type PixelConverter, type Ticks } from '@runnel/media-core';
import type { EndReason, OutputOptions, ParamValues, WorkerEvent } from '@runnel/schemas';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ProcessorDefinition } from '../sdk/definition.ts';
import type { FrameProcessor } from '../sdk/processor.ts';
import { createAudioLane, type AudioLane } from './audio-lane.ts';
import { withDeadline, type PathClock } from './clock.ts';
import { Decimator } from './decimator.ts';
import { DecodeStage, type Waiting } from './decode-stage.ts';
import { EncodeStage } from './encode-stage.ts';
import { Meter } from './meter.ts';
import { Notices } from './notices.ts';
import type { PathSink } from './outputs.ts';
import { Pace } from './pace.ts';
import { ParamLane, type ParamUpdate } from './param-lane.ts';
import { ProcessStage, type OnProcessorError, type Processed } from './process-stage.ts';
import { SegmentWriter } from './segment-writer.ts';
import { TraceLog } from './trace-log.ts';

/** What can be set of a frame path, beyond what the client chose. */
export interface FramePathTuning {
  /** Frame intervals by which processing may lag behind the source before frames are dropped (see Pace); also pictures decoded ahead. */
  queueDepth: number;
  onError: OnProcessorError;
  heartbeatMs: number;
  /** Input without a decodable picture for this long ends the session. */
  brokenInputMs: number;
  /** A processor that takes longer for one frame, for an update of parameters or for its end has failed. */
  frameDeadlineMs: number;
  /** Under `hold`, a processor that has failed on every frame for this long has failed altogether. */
  failingMs: number;
}

/** What holds for a path that is not told otherwise. Times in milliseconds. */
export const DEFAULT_TUNING: FramePathTuning = {
  queueDepth: 2,
  onError: 'hold',
  heartbeatMs: 10_000,
  brokenInputMs: 15_000,
  frameDeadlineMs: 30_000,
  failingMs: 30_000,
};

/** What a path needs. `params` must already fit the processor; the sink hears everything, in order. */
export interface FramePathOptions {
  definition: ProcessorDefinition;
  params: ParamValues;
  output: OutputOptions;
  /** Report the times of every frame in `frames` events. */
  trace: boolean;
  driver: MediaDriver;
  clock: PathClock;
  sink: PathSink;
  tuning?: Partial<FramePathTuning>;
}

/**
 * The way of a session's frames: transport stream bytes in, decoded, queued, processed, encoded, and out again in segments. PTS do not change on the
 * way. Everything that it has to say goes to the sink, in order, and ends with `done`.
 */
export class FramePath {
  readonly #options: FramePathOptions;
  readonly #tuning: FramePathTuning;
  readonly #processor: FrameProcessor;
  readonly #meter = new Meter();
  readonly #pace: Pace;
  readonly #notices: Notices;
  readonly #params: ParamLane;
  readonly #converter: PixelConverter;
  readonly #decode: DecodeStage;
  readonly #process: ProcessStage;
  readonly #encode: EncodeStage;
  readonly #writer: SegmentWriter;
  readonly #audio: AudioLane;
  readonly #trace: TraceLog;
  /** Resolved when there may be something to do; made anew each time the loop has slept. */
  #woken: PromiseWithResolvers<void> = Promise.withResolvers();
  #inputEnded = false;
  #stopping = false;
  /** PTS of the last frame that was sent: the output's never go back. */
  #lastPts: Ticks = Number.NEGATIVE_INFINITY;
  /** When the present row of failures began; null while the processor works. */
  #failingSinceMs: number | null = null;
  #cancelHeartbeat: () => void = () => undefined;
  #done: Promise<void> = Promise.resolve();

  /**
   * Loads the processor and starts. Resolves when bytes may be pushed.
   * @throws RunnelError `invalid_params`, `model_failed`, `processor_failed`: nothing is left behind then.
   */
  static async start(options: FramePathOptions): Promise<FramePath> {
    const path = new FramePath(options);
    await path.#load();
    path.#beat();
    path.#done = path.#run();
    return path;
  }

  private constructor(options: FramePathOptions) {
    const { definition, driver, clock, output } = options;
    const nowMs = () => clock.nowMs();
    const tuning = { ...DEFAULT_TUNING, ...options.tuning };
    this.#options = options;
    this.#tuning = tuning;
    this.#processor = definition.create();
    this.#pace = new Pace({ depth: tuning.queueDepth });
    this.#notices = new Notices({ emit: (event) => this.#emit(event), nowMs });
    this.#params = new ParamLane({
      definition,
      processor: this.#processor,
      first: { revision: 0, values: options.params },
      emit: (event) => this.#emit(event),
      nowMs,
    });
    this.#converter = driver.openConverter();
    this.#writer = new SegmentWriter({ sink: options.sink, nowMs, segmentFrames: output.segmentFrames });
    this.#audio = createAudioLane({
      processor: this.#processor,
      driver,
      writer: this.#writer,
      clock,
      deadlineMs: tuning.frameDeadlineMs,
      onError: tuning.onError,
      report: (error) => this.#notices.error(error),
    });
    this.#decode = new DecodeStage({
      driver,
      clock,
      meter: this.#meter,
      notices: this.#notices,
      pace: this.#pace,
      decimator: new Decimator(output),
      depth: tuning.queueDepth,
      brokenInputMs: tuning.brokenInputMs,
      onAudioStream: (stream) => this.#audio.announce(stream),
      onAudio: (unit, stream) => this.#audio.push(unit, stream),
      wake: () => this.#woken.resolve(),
    });
    this.#process = new ProcessStage({
      processor: this.#processor,
      onError: tuning.onError,
      clock,
      deadlineMs: tuning.frameDeadlineMs,
      converter: this.#converter,
    });
    this.#encode = new EncodeStage(driver, { ...output, onUnit: (unit) => this.#writer.video(unit) });
    this.#trace = new TraceLog({ enabled: options.trace, emit: (event) => this.#emit(event), nowMs });
  }

  /** Resolves when the path has said its last word. Never rejects. */
  get done(): Promise<void> {
    return this.#done;
  }

  /** Takes bytes that arrived at `receivedMs` (epoch); resolves when there is room for more. Bytes after the end are ignored. */
  async push(bytes: Uint8Array, receivedMs: number): Promise<void> {
    if (this.#inputEnded || this.#stopping) return;
    await this.#decode.push(bytes, receivedMs);
  }

  /** Data is missing before the next bytes. */
  discontinuity(): void {
    if (!this.#inputEnded && !this.#stopping) this.#decode.discontinuity();
  }

  /** Parameters for the next frame; what becomes of them is told by event. */
  updateParams(update: ParamUpdate): void {
    this.#params.update(update);
  }

  /** No more bytes come: what is inside is processed and sent, then the path is done. Idempotent. */
  async endOfInput(): Promise<void> {
    if (this.#inputEnded || this.#stopping) return;
    this.#inputEnded = true;
    await this.#decode.end();
    this.#woken.resolve();
  }

  /** Finishes the frame at hand, gives the rest up, and is done. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#woken.resolve();
    await this.#done;
  }

  async #load(): Promise<void> {
    const { params } = this.#processor;
    try {
      await this.#processor.load({ params, converter: this.#converter, nowMs: () => this.#options.clock.nowMs() });
      await this.#processor.onStreamStart(params);
    } catch (error) {
      await this.#release();
      throw asProcessorFailure(error);
    }
  }

  async #run(): Promise<void> {
    let end: { reason: EndReason; detail: string };
    try {
      end = await this.#frames();
      await this.#drain(end.reason);
    } catch (error) {
      end = { reason: 'processor_failed', detail: asProcessorFailure(error).message };
      // The pictures are over; sound that still waits would come after the end.
      await this.#audio.end({ drain: false }).catch((failure: unknown) => this.#notices.error(failure));
    }
    // From here on nothing is encoded. What is left in the writer goes out before the last word.
    this.#writer.end();
    this.#trace.flush();
    this.#emit({ type: 'heartbeat', timestamp: this.#options.clock.nowMs(), stats: this.#meter.stats(this.#options.clock.nowMs()) });
    await this.#release();
    await this.#writer.drained();
    await this.#options.sink({ kind: 'done', ...end });
  }

  /** Frame after frame until there is a reason to end. */
  async #frames(): Promise<{ reason: EndReason; detail: string }> {
    let drained = false;
    for (;;) {
      if (this.#stopping) return { reason: 'stopped', detail: 'The session was stopped.' };
      const waiting = this.#decode.next();
      if (waiting !== null) {
        await this.#frame(waiting);
        // What has arrived meanwhile is read, so that a slow processor sees how late it is.
        await nextTurn();
        continue;
      }
      if (this.#decode.failure !== null) return { reason: 'broken_input', detail: this.#decode.failure.message };
      // Twice through here: the decoder may hold pictures back, which come as waiting ones after the flush.
      if (this.#inputEnded && this.#decode.isEmpty) {
        if (drained) {
          const { flaw } = this.#decode;
          if (flaw !== null) return { reason: 'broken_input', detail: flaw };
          return { reason: 'input_ended', detail: 'The input has ended and was processed to its end.' };
        }
        drained = true;
        this.#decode.flushDecoder();
        continue;
      }
      await this.#woken.promise;
      this.#woken = Promise.withResolvers();
    }
  }

  async #frame({ picture, receivedMs, decodedMs }: Waiting): Promise<void> {
    const { clock } = this.#options;
    const { pts } = picture;
    const dequeuedMs = clock.nowMs();
    await this.#applyParams(picture);
    const processed = await this.#process.process(picture);
    const processedMs = clock.nowMs();
    try {
      if (!(await this.#send(processed, pts, processedMs))) {
        this.#meter.framesDropped += 1;
        return;
      }
    } finally {
      processed.done();
    }
    this.#lastPts = pts;
    if (processed.error === null) this.#params.frameSent({ number: this.#meter.framesOut, pts }, this.#processor);
    const { pictureSentMs: sentMs } = this.#writer;
    this.#pace.worked(sentMs - dequeuedMs);
    this.#meter.frameOut(sentMs, receivedMs);
    this.#trace.frame({ pts, receivedMs, decodedMs, dequeuedMs, processedMs, sentMs });
    await this.#writer.drained();
  }

  /** Brings waiting parameters into force before a picture. @throws RunnelError `deadline_exceeded`: what the processor holds is unknown then. */
  async #applyParams(picture: Picture): Promise<void> {
    if (!this.#params.isPending) return;
    try {
      await this.#inTime(this.#params.apply(this.#processor), 'its update of parameters');
    } catch (error) {
      picture.release();
      throw error;
    }
  }

  /** User code that does not come back must not hold the session for ever. */
  #inTime(work: Promise<void>, what: string): Promise<void> {
    const { frameDeadlineMs: deadlineMs } = this.#tuning;
    const late = () => new RunnelError('deadline_exceeded', { message: `The processor did not finish ${what} in ${deadlineMs} ms.` });
    return withDeadline(work, { clock: this.#options.clock, deadlineMs, late });
  }

  /** Encodes a processed picture; false when it is dropped instead. */
  async #send({ view, error }: Processed, pts: Ticks, nowMs: number): Promise<boolean> {
    this.#judge(error, nowMs);
    // A frame whose time is not after the last one's has no place in a stream of growing DTS.
    if (view === null || pts <= this.#lastPts) return false;
    try {
      await this.#encode.encode(view, { pts, framerate: this.#framerate() });
      return true;
    } catch (failure) {
      // A picture that cannot be encoded is the processor's failure, too.
      this.#judge(failure, nowMs);
      return false;
    }
  }

  /** Keeps count of a failing processor. @throws RunnelError `processor_failed` when it has failed for too long. */
  #judge(error: unknown, nowMs: number): void {
    if (error === null) {
      this.#failingSinceMs = null;
      return;
    }
    const known = this.#notices.error(asProcessorFailure(error));
    this.#failingSinceMs ??= nowMs;
    if (this.#tuning.onError === 'hold' && nowMs - this.#failingSinceMs >= this.#tuning.failingMs)
      throw new RunnelError('processor_failed', {
        message: `The processor failed on every frame for ${Math.round(this.#tuning.failingMs / 1000)} s: ${known.message}`,
      });
  }

  async #drain(reason: EndReason): Promise<void> {
    this.#encode.flush();
    await this.#audio.end({ drain: reason !== 'stopped' });
  }

  async #release(): Promise<void> {
    this.#cancelHeartbeat();
    await this.#decode.close();
    this.#process.close();
    this.#encode.close();
    try {
      await this.#inTime(Promise.resolve(this.#processor.onStreamStop()), 'its end');
    } catch (error) {
      this.#notices.error(asProcessorFailure(error));
    }
    this.#converter.close();
  }

  #framerate(): number {
    return Math.min(TICKS_PER_SECOND, 1000 / this.#pace.intervalMs, this.#options.output.maxFramerate ?? Number.POSITIVE_INFINITY);
  }

  #beat(): void {
    const { clock } = this.#options;
    this.#emit({ type: 'heartbeat', timestamp: clock.nowMs(), stats: this.#meter.stats(clock.nowMs()) });
    this.#cancelHeartbeat = clock.setTimer(() => this.#beat(), this.#tuning.heartbeatMs);
  }

  #emit(event: WorkerEvent): void {
    this.#writer.event(event);
  }
}

/** What user code threw, as ours: the message is its own, told with its first line. */
function asProcessorFailure(thrown: unknown): RunnelError {
  if (thrown instanceof RunnelError) return thrown;
  const said = (thrown instanceof Error ? thrown.message : String(thrown)).split('\n')[0];
  return new RunnelError('processor_failed', { message: `The processor failed: ${said}`, cause: toRunnelError(thrown) });
}
