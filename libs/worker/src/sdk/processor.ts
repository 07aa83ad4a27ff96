import type { PixelConverter } from '@runnel/media-core';
import type { z } from 'zod';
import type { AudioFrame } from './audio-frame.ts';
import type { VideoFrame } from './video-frame.ts';

/** What a processor is given at its load. */
export interface ProcessorContext<Schema extends z.ZodObject = z.ZodObject> {
  /** The session's first parameters. */
  readonly params: z.output<Schema>;
  /** Colour conversion and scaling by the codec library. */
  readonly converter: PixelConverter;
  /** Wall clock in epoch milliseconds with fractions, the one that the session's traces use. */
  readonly nowMs: () => number;
}

/**
 * Base class of every processor: one instance a session, alone in its process, so blocking calls are fine. Calls never overlap for
 * video. What `processVideo` throws follows the path's error policy and does not end the stream.
 */
export abstract class FrameProcessor<Schema extends z.ZodObject = z.ZodObject> {
  /** The parameters in force, defaults filled in; set before `load` and before each `updateParams`. */
  params!: z.output<Schema>;

  /** Loads models and warms up, before the session is reported as started. Throwing refuses the session. */
  load(_context: ProcessorContext<Schema>): void | Promise<void> {}

  /** Before the first frame. */
  onStreamStart(_params: z.output<Schema>): void | Promise<void> {}

  /** After the last frame; releases what `load` took. Called once, also after a failure. */
  onStreamStop(): void | Promise<void> {}

  /** Returns the frame to send on (mostly the one that it was given, changed), or null to drop it. */
  abstract processVideo(frame: VideoFrame): VideoFrame | null | Promise<VideoFrame | null>;

  /** Leave it out and audio passes through untouched, without being decoded. Null drops the block. */
  processAudio?(frame: AudioFrame): AudioFrame[] | null | Promise<AudioFrame[] | null>;

  /** Between two frames, after checked parameters have changed. Throwing keeps the old ones in force. */
  updateParams(_params: z.output<Schema>): void | Promise<void> {}
}
