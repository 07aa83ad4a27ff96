import type { EncodedUnit, MediaDriver, Ticks, VideoCodec, VideoDecoder } from '@runnel/media-core';

/** Decodes a stream as a viewer's player does, and throws the pictures away. */
export class Viewer {
  readonly #driver: MediaDriver;
  #decoder: { codec: VideoCodec; decoder: VideoDecoder } | null = null;

  constructor(driver: MediaDriver) {
    this.#driver = driver;
  }

  /** PTS of the pictures that are ready after this unit. A unit that cannot be decoded gives none. */
  async see(unit: EncodedUnit, codec: VideoCodec): Promise<Ticks[]> {
    if (this.#decoder?.codec !== codec) {
      this.close();
      this.#decoder = { codec, decoder: await this.#driver.openVideoDecoder(codec) };
    }
    const seen: Ticks[] = [];
    try {
      this.#decoder.decoder.decode(unit, (picture) => {
        seen.push(picture.pts);
        picture.release();
      });
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'broken_media') throw error;
    }
    return seen;
  }

  /** Frees the decoder. Idempotent; `see` opens a new one. */
  close(): void {
    this.#decoder?.decoder.close();
    this.#decoder = null;
  }
}
