import type { RgbImage } from '@runnel/media-core';
import type { Element, Layout } from './model.ts';

/** Array of an image tensor. */
export type ImageData = Float32Array | Uint8Array;

/** What 8-bit levels are as floats. */
const LEVELS = Float32Array.from({ length: 256 }, (_, level) => level / 255);

/** Memory for an image of `samples` samples. */
export function allocateImage(element: Element, samples: number): ImageData {
  return element === 'uint8' ? new Uint8Array(samples) : new Float32Array(samples);
}

/** Dimensions of an image tensor. */
export function imageShape(layout: Layout, { width, height }: { width: number; height: number }): [number, number, number, number] {
  return layout === 'nchw' ? [1, 3, height, width] : [1, height, width, 3];
}

/** Writes packed RGB into a tensor's memory; float elements are in [0, 1]. */
export function packImage(rgb: Uint8Array, into: ImageData, layout: Layout): void {
  const float = into instanceof Float32Array;
  if (layout === 'nhwc') {
    if (!float) into.set(rgb);
    else for (let at = 0; at < rgb.length; at += 1) into[at] = LEVELS[rgb[at]]!;
    return;
  }
  const pixels = rgb.length / 3;
  for (let pixel = 0, at = 0; pixel < pixels; pixel += 1, at += 3) {
    const r = rgb[at];
    const g = rgb[at + 1];
    const b = rgb[at + 2];
    into[pixel] = float ? LEVELS[r] : r;
    into[pixels + pixel] = float ? LEVELS[g] : g;
    into[2 * pixels + pixel] = float ? LEVELS[b] : b;
  }
}

/** Reads a tensor's memory back into packed RGB; floats are clamped and rounded, so that a model may overshoot. */
export function unpackImage(from: ImageData, image: RgbImage, layout: Layout): void {
  const { data } = image;
  const float = from instanceof Float32Array;
  const pixels = image.width * image.height;
  // Distance from one colour of a pixel to the next, and from one pixel to the next.
  const [colour, step] = layout === 'nchw' ? [pixels, 1] : [1, 3];
  for (let pixel = 0, at = 0; pixel < pixels; pixel += 1, at += 3) {
    const source = pixel * step;
    for (let c = 0; c < 3; c += 1) {
      const value = from[source + c * colour];
      data[at + c] = float ? (value <= 0 ? 0 : value >= 1 ? 255 : value * 255 + 0.5) : value;
    }
  }
}
