import { RunnelError } from '@runnel/errors';
import type { Picture, Ticks } from '@runnel/media-core';
import { AV_PIX_FMT_YUV420P, SWS_BILINEAR } from 'node-av/constants';
import { Frame, SoftwareScaleContext } from 'node-av/lib';
import { check } from './ffmpeg.ts';

/** Pictures of one decoder that may be in use at once. */
const PICTURES_MAX = 64;

/**
 * Lends decoded frames as pictures: the planes are views on the decoder's memory until `release`. Frames are used again and again,
 * because each allocation of one leaves memory to the garbage collector that it does not see.
 */
export class PicturePool {
  readonly #free: Frame[] = [];
  #lent = 0;
  #closed = false;
  #scaler: { context: SoftwareScaleContext; key: string } | null = null;

  /** A frame to decode into. @throws RunnelError `internal` when pictures are not released. */
  take(): Frame {
    if (this.#lent >= PICTURES_MAX)
      throw new RunnelError('internal', { message: `${PICTURES_MAX} pictures are in use: they are not released.` });
    this.#lent += 1;
    const reused = this.#free.pop();
    if (reused !== undefined) return reused;
    const frame = new Frame();
    frame.alloc();
    return frame;
  }

  /** Takes back a frame that holds nothing of interest. */
  give(frame: Frame): void {
    frame.unref();
    this.#lent -= 1;
    if (this.#closed) frame.free();
    else this.#free.push(frame);
  }

  /** The frame as a picture of yuv420p with even sides, converted when it is something else. The frame is the picture's from here on. */
  lend(decoded: Frame, pts: Ticks): Picture {
    const frame = this.#convert(decoded);
    const { width, height, linesize, data } = frame;
    let released = false;
    return {
      width,
      height,
      planes: [data![0], data![1], data![2]],
      strides: [linesize[0], linesize[1], linesize[2]],
      pts,
      release: () => {
        if (released) return;
        released = true;
        this.give(frame);
      },
    };
  }

  /** Frees what is not lent; the rest goes as it is released. */
  close(): void {
    this.#closed = true;
    for (const frame of this.#free.splice(0)) frame.free();
    this.#scaler?.context.freeContext();
    this.#scaler = null;
  }

  #convert(frame: Frame): Frame {
    const { width, height, format } = frame;
    // x264 wants even sides in 4:2:0.
    if (format === AV_PIX_FMT_YUV420P && width % 2 === 0 && height % 2 === 0) return frame;
    const converted = this.take();
    try {
      converted.format = AV_PIX_FMT_YUV420P;
      converted.width = Math.max(2, width & ~1);
      converted.height = Math.max(2, height & ~1);
      check(converted.getBuffer(), 'internal', 'No memory for a picture');
      check(
        this.#scaleContext(frame, converted).scaleFrameSync(converted, frame),
        'unsupported_codec',
        'This pixel format cannot be converted',
      );
      return converted;
    } catch (error) {
      this.give(converted);
      throw error;
    } finally {
      this.give(frame);
    }
  }

  #scaleContext(from: Frame, to: Frame): SoftwareScaleContext {
    const key = `${from.width}x${from.height}:${from.format}`;
    if (this.#scaler?.key === key) return this.#scaler.context;
    this.#scaler?.context.freeContext();
    const context = new SoftwareScaleContext();
    context.getContext(from.width, from.height, from.format as never, to.width, to.height, AV_PIX_FMT_YUV420P, SWS_BILINEAR);
    this.#scaler = { context, key };
    return context;
  }
}
