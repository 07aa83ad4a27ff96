import { RunnelError } from '@runnel/errors';
import type { Picture } from '@runnel/media-core';

/** Pictures of one size that wait for their next use; more are left to the garbage collector. */
const POOL_FREE_PICTURES = 8;
/** Largest width or height of a picture. */
const MAX_SIDE_PIXELS = 8192;

/** A picture without the duty to release it. */
export type PictureView = Omit<Picture, 'release'>;

/** Planes that the pool owns: tight rows, writable, back in the pool after `release`. */
export interface PooledPicture {
  readonly width: number;
  readonly height: number;
  readonly planes: readonly [Uint8Array, Uint8Array, Uint8Array];
  readonly strides: readonly [number, number, number];
  /** Gives the memory back to the pool. Idempotent. */
  release(): void;
}

type Planes = [Uint8Array, Uint8Array, Uint8Array];

/** Re-uses picture memory, so that a stream at its pace allocates nothing. One pool a frame path. */
export class PicturePool {
  #free: Planes[] = [];
  #width = 0;
  #height = 0;
  readonly #rgb: Uint8Array[] = [];

  /** A picture with undefined contents. @throws RunnelError `processor_failed` for a size that is no picture's. */
  acquire(width: number, height: number): PooledPicture {
    if (!isSide(width) || !isSide(height))
      throw new RunnelError('processor_failed', {
        message: `A picture of ${width}x${height} cannot be made: sides go from 1 to ${MAX_SIDE_PIXELS}.`,
      });
    if (width !== this.#width || height !== this.#height) {
      this.#free = [];
      this.#width = width;
      this.#height = height;
    }
    const planes = this.#free.pop() ?? allocate(width, height);
    const half = (width + 1) >> 1;
    let released = false;
    return {
      width,
      height,
      planes,
      strides: [width, half, half],
      release: () => {
        if (released) return;
        released = true;
        if (width === this.#width && height === this.#height && this.#free.length < POOL_FREE_PICTURES) this.#free.push(planes);
      },
    };
  }

  /** Memory of undefined contents for packed RGB of this many bytes. */
  acquireRgb(bytes: number): Uint8Array {
    const at = this.#rgb.findIndex(({ length }) => length === bytes);
    return at === -1 ? new Uint8Array(bytes) : this.#rgb.splice(at, 1)[0];
  }

  /** Takes RGB memory back. */
  releaseRgb(memory: Uint8Array): void {
    this.#rgb.push(memory);
    if (this.#rgb.length > POOL_FREE_PICTURES) this.#rgb.shift();
  }
}

function isSide(pixels: number): boolean {
  return Number.isInteger(pixels) && pixels >= 1 && pixels <= MAX_SIDE_PIXELS;
}

function allocate(width: number, height: number): Planes {
  const luma = width * height;
  const chroma = ((width + 1) >> 1) * ((height + 1) >> 1);
  const memory = new Uint8Array(luma + 2 * chroma);
  return [memory.subarray(0, luma), memory.subarray(luma, luma + chroma), memory.subarray(luma + chroma)];
}

/** Copies `rows` rows of `width` bytes between planes of any stride. */
export function copyPlane(
  from: { data: Uint8Array; stride: number },
  into: { data: Uint8Array; stride: number },
  size: { width: number; height: number },
): void {
  if (from.stride === into.stride && from.stride === size.width) {
    into.data.set(from.data.subarray(0, size.width * size.height));
    return;
  }
  for (let row = 0; row < size.height; row += 1) {
    const at = row * from.stride;
    into.data.set(from.data.subarray(at, at + size.width), row * into.stride);
  }
}
