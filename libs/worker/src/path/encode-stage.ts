import { RunnelError } from '@runnel/errors';
import type { EncodedUnit, MediaDriver, Ticks, VideoEncoder } from '@runnel/media-core';
import type { PictureView } from '../sdk/picture-pool.ts';

/** Smallest side that an encoder takes. */
const SIDE_MIN_PIXELS = 16;

/**
 * Encodes pictures of whatever size they come in: the encoder is made anew when it changes. Odd sizes lose their last column or row,
 * because 4:2:0 video has none. Keyframes come every `gopFrames` pictures and at each change of size.
 */
export class EncodeStage {
  readonly #driver: MediaDriver;
  readonly #options: { bitrateKbps: number; gopFrames: number };
  readonly #onUnit: (unit: EncodedUnit) => void;
  #encoder: VideoEncoder | null = null;
  #width = 0;
  #height = 0;
  #sinceKeyframe = 0;

  constructor(driver: MediaDriver, options: { bitrateKbps: number; gopFrames: number; onUnit: (unit: EncodedUnit) => void }) {
    this.#driver = driver;
    this.#options = options;
    this.#onUnit = options.onUnit;
  }

  /** Encodes a picture; its unit has been handed over when this resolves. @throws RunnelError `processor_failed` for a picture too small to encode. */
  async encode(view: PictureView, { pts, framerate }: { pts: Ticks; framerate: number }): Promise<void> {
    const width = view.width & ~1;
    const height = view.height & ~1;
    if (width < SIDE_MIN_PIXELS || height < SIDE_MIN_PIXELS)
      throw new RunnelError('processor_failed', {
        message: `A picture of ${view.width}x${view.height} cannot be encoded: ${SIDE_MIN_PIXELS} pixels is the least.`,
      });
    if (this.#encoder === null || width !== this.#width || height !== this.#height) {
      this.flush();
      this.#encoder?.close();
      this.#encoder = null;
      this.#encoder = await this.#driver.openVideoEncoder({ ...this.#options, width, height, framerate });
      this.#width = width;
      this.#height = height;
      this.#sinceKeyframe = 0;
    }
    const keyframe = this.#sinceKeyframe % this.#options.gopFrames === 0;
    this.#sinceKeyframe += 1;
    this.#encoder.encode({ ...view, width, height, pts }, { keyframe }, this.#onUnit);
  }

  /** Hands over what the encoder still holds. */
  flush(): void {
    this.#encoder?.flush(this.#onUnit);
  }

  /** Frees the encoder; what it still holds is lost, so `flush` comes first. Idempotent. */
  close(): void {
    this.#encoder?.close();
    this.#encoder = null;
  }
}
