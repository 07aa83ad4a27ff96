import { RunnelError } from '@runnel/errors';
import type { Picture, PixelConverter } from '@runnel/media-core';
import { PicturePool, type PictureView } from '../sdk/picture-pool.ts';
import type { FrameProcessor } from '../sdk/processor.ts';
import { VideoFrame } from '../sdk/video-frame.ts';
import { withDeadline, type PathClock } from './clock.ts';

/**
 * What is sent for a frame whose processor failed: the last good one again, nothing, or the frame as it came in. `hold` is the default because
 * the raw picture must not leak from a processor that anonymises or moderates.
 */
export type OnProcessorError = 'hold' | 'drop' | 'passthrough';

/** A picture to encode, or null when the frame is dropped. `done` gives its memory back. */
export interface Processed {
  view: PictureView | null;
  /** What the processor threw. */
  error: unknown;
  done(): void;
}

/** Runs the processor on one picture after the other, under the error policy. */
export class ProcessStage {
  readonly #processor: FrameProcessor;
  readonly #onError: OnProcessorError;
  readonly #clock: PathClock;
  readonly #deadlineMs: number;
  readonly #resources: { pool: PicturePool; converter: PixelConverter };
  #number = 0;
  /** The last good frame, under `hold` only: it keeps its memory until the next good one. */
  #held: VideoFrame | null = null;

  constructor(options: {
    processor: FrameProcessor;
    onError: OnProcessorError;
    clock: PathClock;
    deadlineMs: number;
    converter: PixelConverter;
  }) {
    this.#processor = options.processor;
    this.#onError = options.onError;
    this.#clock = options.clock;
    this.#deadlineMs = options.deadlineMs;
    this.#resources = { pool: new PicturePool(), converter: options.converter };
  }

  /** Takes the picture over. @throws RunnelError `deadline_exceeded` when the processor does not come back: its state is unknown then. */
  async process(picture: Picture): Promise<Processed> {
    const frame = new VideoFrame(picture, this.#number, this.#resources);
    this.#number += 1;
    try {
      const result = await this.#call(frame);
      // A processor that gives another frame back keeps this one only if it has retained it.
      if (result !== frame) frame.release();
      if (result === null) return { view: null, error: null, done: () => undefined };
      const view = result.view();
      this.#hold(result);
      return { view, error: null, done: () => result.release() };
    } catch (error) {
      if (error instanceof RunnelError && error.code === 'deadline_exceeded') {
        frame.release();
        throw error;
      }
      return this.#afterFailure(frame, picture, error);
    }
  }

  /** Gives all memory back. */
  close(): void {
    this.#held?.release();
    this.#held = null;
  }

  async #call(frame: VideoFrame): Promise<VideoFrame | null> {
    const result = this.#processor.processVideo(frame);
    if (!(result instanceof Promise)) return result;
    return withDeadline(result, {
      clock: this.#clock,
      deadlineMs: this.#deadlineMs,
      late: () =>
        new RunnelError('deadline_exceeded', { message: `The processor did not finish frame ${frame.number} in ${this.#deadlineMs} ms.` }),
    });
  }

  #hold(frame: VideoFrame): void {
    if (this.#onError !== 'hold') return;
    this.#held?.release();
    this.#held = frame.retain();
  }

  #afterFailure(frame: VideoFrame, picture: Picture, error: unknown): Processed {
    if (this.#onError === 'passthrough') {
      // The processor may have written into the frame, never into the decoder's picture.
      return { view: picture, error, done: () => frame.release() };
    }
    frame.release();
    return { view: this.#onError === 'hold' ? (this.#held?.view() ?? null) : null, error, done: () => undefined };
  }
}
