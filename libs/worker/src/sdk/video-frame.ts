import { RunnelError } from '@runnel/errors';
import type { Picture, PixelConverter, RgbImage, Ticks } from '@runnel/media-core';
import { copyPlane, type PicturePool, type PictureView, type PooledPicture } from './picture-pool.ts';

/** One plane of a frame: 8-bit samples, `stride` bytes from one row to the next. */
export interface Plane {
  readonly data: Uint8Array;
  readonly stride: number;
  readonly width: number;
  readonly height: number;
}

/** Luma, blue difference, red difference. */
export type PlaneName = 'y' | 'u' | 'v';
const INDEX = { y: 0, u: 1, v: 2 } as const satisfies Record<PlaneName, number>;

/** What a frame needs from its path. */
export interface FrameResources {
  pool: PicturePool;
  converter: PixelConverter;
}

/**
 * One video frame in planar YUV 4:2:0, first a view on the decoder's own memory. Nothing is converted or copied until asked for:
 * `y`, `u`, `v` show the planes as they are, `edit` and `overwrite` move a plane into memory of the frame's own before it is
 * written, `rgb` converts on its first call. The frame path releases the frame after `processVideo`; who keeps it
 * longer calls `retain` and later `release` (or `using`).
 */
export class VideoFrame implements Disposable {
  /** Presentation time in ticks of 90 kHz. */
  readonly pts: Ticks;
  /** Number among the decoded frames of this session, from 0. */
  readonly number: number;
  readonly #resources: FrameResources;
  readonly #source: Picture;
  readonly #pooled: PooledPicture[] = [];
  #planes: [Plane, Plane, Plane];
  #owned: [boolean, boolean, boolean] = [false, false, false];
  #width: number;
  #height: number;
  #fullRange: boolean;
  #rgb: Uint8Array | null = null;
  readonly #rgbHeld: Uint8Array[] = [];
  #holders = 1;

  /** Takes over the picture: it is released with the frame. */
  constructor(picture: Picture, frameNumber: number, resources: FrameResources) {
    this.pts = picture.pts;
    this.number = frameNumber;
    this.#source = picture;
    this.#resources = resources;
    this.#width = picture.width;
    this.#height = picture.height;
    this.#fullRange = picture.fullRange ?? false;
    this.#planes = planesOf(picture);
  }

  /** Width in pixels; another one after `replaceRgb` or `replacePlanes` with a new size. */
  get width(): number {
    return this.#width;
  }

  /** Height in pixels. */
  get height(): number {
    return this.#height;
  }

  /** Luma. For reading only: it may be decoder memory. */
  get y(): Plane {
    return this.#plane('y');
  }

  /** Blue-difference chroma, half the size each way, 128 is neutral. For reading only. */
  get u(): Plane {
    return this.#plane('u');
  }

  /** Red-difference chroma, half the size each way, 128 is neutral. For reading only. */
  get v(): Plane {
    return this.#plane('v');
  }

  /** The plane for writing, with its present contents: copied out of decoder memory the first time. */
  edit(name: PlaneName): Plane {
    const at = INDEX[name];
    if (this.#owned[at]) return this.#changed(this.#plane(name));
    const before = this.#plane(name);
    const own = this.overwrite(name);
    copyPlane(before, own, own);
    return own;
  }

  /**
   * The plane for writing with undefined contents, for processors that compute all of it. A plane that was read before keeps
   * its contents until the frame is released, so input and output never overlap.
   */
  overwrite(name: PlaneName): Plane {
    this.#alive();
    const at = INDEX[name];
    const own = this.#spare(at);
    const { width, height } = this.#planes[at];
    this.#planes[at] = { data: own.planes[at], stride: own.strides[at], width, height };
    this.#owned[at] = true;
    return this.#changed(this.#planes[at]);
  }

  /** Sends every luma sample through `map` (0 to 255 in and out, clamped); it is called once for each of the 256 levels. */
  mapLuma(map: (level: number) => number): this {
    const table = new Uint8ClampedArray(256);
    for (let level = 0; level < 256; level += 1) table[level] = map(level);
    const from = this.y;
    const into = this.overwrite('y');
    for (let row = 0; row < from.height; row += 1) {
      const source = row * from.stride;
      const target = row * into.stride;
      for (let x = 0; x < from.width; x += 1) into.data[target + x] = table[from.data[source + x]]!;
    }
    return this;
  }

  /** The picture as packed RGB, 8 bits, HWC, `width * height * 3` bytes. Converted once; the array is the frame's own and may be changed before `replaceRgb`. */
  rgb(): Uint8Array {
    this.#alive();
    if (this.#rgb !== null) return this.#rgb;
    const data = this.#resources.pool.acquireRgb(this.#width * this.#height * 3);
    this.#rgbHeld.push(data);
    this.#resources.converter.toRgb(this.view(), { width: this.#width, height: this.#height, data });
    this.#rgb = data;
    return data;
  }

  /**
   * Makes packed RGB the frame's picture, scaled to `size` or as large as the image: the output follows. The data is read at once
   * and not kept. @throws RunnelError `processor_failed` when its length does not fit its size.
   */
  replaceRgb(image: RgbImage, size: { width: number; height: number } = image): this {
    this.#alive();
    const expected = image.width * image.height * 3;
    if (image.data.length !== expected)
      throw new RunnelError('processor_failed', {
        message: `replaceRgb got ${image.data.length} bytes for ${image.width}x${image.height}; that size has ${expected}.`,
      });
    const own = this.#adopt(size);
    this.#resources.converter.fromRgb(image, { ...own, pts: this.pts });
    return this;
  }

  /** Makes other planes the frame's picture, of any size: the output follows. They are copied at once. @throws RunnelError `processor_failed` when a plane is too short for its size. */
  replacePlanes(picture: Omit<PictureView, 'pts'>): this {
    this.#alive();
    const planes = planesOf(picture);
    for (const [at, { data, stride, width, height }] of planes.entries()) {
      if (stride < width || data.length < (height - 1) * stride + width)
        throw new RunnelError('processor_failed', {
          message: `Plane ${'yuv'[at]} of ${data.length} bytes with stride ${stride} is too short for ${width}x${height}.`,
        });
    }
    const own = this.#adopt(picture);
    this.#fullRange = picture.fullRange ?? false;
    for (const [at, plane] of planes.entries()) copyPlane(plane, { data: own.planes[at], stride: own.strides[at] }, plane);
    return this;
  }

  /** The picture as it is now, valid until the frame is released. */
  view(): PictureView {
    this.#alive();
    const [y, u, v] = this.#planes;
    return {
      width: this.#width,
      height: this.#height,
      planes: [y.data, u.data, v.data],
      strides: [y.stride, u.stride, v.stride],
      pts: this.pts,
      fullRange: this.#fullRange,
    };
  }

  /** Keeps the frame's memory beyond `processVideo`. Each call wants its own `release`. */
  retain(): this {
    this.#alive();
    this.#holders += 1;
    return this;
  }

  /** Gives up one hold; the last one returns all memory. Nothing of the frame may be touched afterwards. */
  release(): void {
    if (this.#holders === 0) return;
    this.#holders -= 1;
    if (this.#holders > 0) return;
    this.#source.release();
    for (const picture of this.#pooled.splice(0)) picture.release();
    for (const memory of this.#rgbHeld.splice(0)) this.#resources.pool.releaseRgb(memory);
  }

  [Symbol.dispose](): void {
    this.release();
  }

  #plane(name: PlaneName): Plane {
    this.#alive();
    return this.#planes[INDEX[name]];
  }

  #changed(plane: Plane): Plane {
    this.#rgb = null;
    return plane;
  }

  /** Pooled memory whose plane `at` is not the one in use. */
  #spare(at: number): PooledPicture {
    const latest = this.#pooled.at(-1);
    if (latest !== undefined && !this.#owned[at] && latest.width === this.#width && latest.height === this.#height) return latest;
    return this.#acquire(this.#width, this.#height);
  }

  #adopt(size: { width: number; height: number }): PooledPicture {
    const own = this.#acquire(size.width, size.height);
    this.#width = size.width;
    this.#height = size.height;
    this.#fullRange = false;
    this.#planes = planesOf(own);
    this.#owned = [true, true, true];
    this.#rgb = null;
    return own;
  }

  #acquire(width: number, height: number): PooledPicture {
    const own = this.#resources.pool.acquire(width, height);
    this.#pooled.push(own);
    return own;
  }

  #alive(): void {
    if (this.#holders === 0)
      throw new RunnelError('processor_failed', { message: `Frame ${this.number} was used after its release; call retain() to keep one.` });
  }
}

function planesOf(picture: Omit<PictureView, 'pts'>): [Plane, Plane, Plane] {
  const { width, height, planes, strides } = picture;
  const half = { width: (width + 1) >> 1, height: (height + 1) >> 1 };
  return [
    { data: planes[0], stride: strides[0], width, height },
    { data: planes[1], stride: strides[1], ...half },
    { data: planes[2], stride: strides[2], ...half },
  ];
}
