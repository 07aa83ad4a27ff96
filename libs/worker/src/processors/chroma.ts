import type { Plane } from '../sdk/video-frame.ts';

/** Chroma value without colour. */
export const NEUTRAL = 128;

/** Moves every sample of a plane towards `target` by `amount` (0 leaves it, 1 replaces it). Reads one plane and writes the other. */
export function blendPlane(from: Plane, into: Plane, { target, amount }: { target: number; amount: number }): void {
  const table = new Uint8ClampedArray(256);
  for (let level = 0; level < 256; level += 1) table[level] = level + (target - level) * amount;
  for (let row = 0; row < from.height; row += 1) {
    const source = row * from.stride;
    const sink = row * into.stride;
    for (let x = 0; x < from.width; x += 1) into.data[sink + x] = table[from.data[source + x]]!;
  }
}
