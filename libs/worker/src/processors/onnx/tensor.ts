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
  // One loop a type: a loop that meets both runs several times slower.
  if (into instanceof Uint8Array) {
    if (layout === 'nhwc') into.set(rgb);
    else packPlanes(rgb, into);
  } else if (layout === 'nhwc') for (let at = 0; at < rgb.length; at += 1) into[at] = LEVELS[rgb[at]];
  else packFloatPlanes(rgb, into);
}

function packPlanes(rgb: Uint8Array, into: Uint8Array): void {
  const pixels = rgb.length / 3;
  for (let pixel = 0, at = 0; pixel < pixels; pixel += 1, at += 3) {
    into[pixel] = rgb[at];
    into[pixels + pixel] = rgb[at + 1];
    into[2 * pixels + pixel] = rgb[at + 2];
  }
}

function packFloatPlanes(rgb: Uint8Array, into: Float32Array): void {
  const pixels = rgb.length / 3;
  for (let pixel = 0, at = 0; pixel < pixels; pixel += 1, at += 3) {
    into[pixel] = LEVELS[rgb[at]];
    into[pixels + pixel] = LEVELS[rgb[at + 1]];
    into[2 * pixels + pixel] = LEVELS[rgb[at + 2]];
  }
}

/** Reads a tensor's memory back into packed RGB; floats are clamped and rounded, so that a model may overshoot. */
export function unpackImage(from: ImageData, image: RgbImage, layout: Layout): void {
  if (from instanceof Uint8Array) {
    if (layout === 'nhwc') image.data.set(from);
    else unpackPlanes(from, image.data);
    return;
  }
  // This kind of array rounds and clamps what it is given.
  const clamped = new Uint8ClampedArray(image.data.buffer, image.data.byteOffset, image.data.length);
  if (layout === 'nhwc') for (let at = 0; at < clamped.length; at += 1) clamped[at] = from[at] * 255;
  else unpackFloatPlanes(from, clamped);
}

function unpackPlanes(from: Uint8Array, into: Uint8Array): void {
  const pixels = into.length / 3;
  for (let pixel = 0, at = 0; pixel < pixels; pixel += 1, at += 3) {
    into[at] = from[pixel];
    into[at + 1] = from[pixels + pixel];
    into[at + 2] = from[2 * pixels + pixel];
  }
}

function unpackFloatPlanes(from: Float32Array, into: Uint8ClampedArray): void {
  const pixels = into.length / 3;
  for (let pixel = 0, at = 0; pixel < pixels; pixel += 1, at += 3) {
    into[at] = from[pixel] * 255;
    into[at + 1] = from[pixels + pixel] * 255;
    into[at + 2] = from[2 * pixels + pixel] * 255;
  }
}
