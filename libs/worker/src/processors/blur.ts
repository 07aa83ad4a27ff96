import { z } from 'zod';
import { defineProcessor } from '../sdk/definition.ts';
import { FrameProcessor } from '../sdk/processor.ts';
import type { Plane, VideoFrame } from '../sdk/video-frame.ts';

const params = z.strictObject({
  radius: z.int().min(0).max(100).default(6).describe('Radius in pixels of the picture; 0 leaves it sharp.'),
});

/** Reused between frames: a plane half blurred, and the running sum of each column. */
interface Scratch {
  rows: Uint8Array;
  sums: Uint32Array;
}

/**
 * Box blur of a plane, edges repeated: one pass along rows, one along columns with a running sum a column, so that the cost does not
 * depend on the radius and memory is read in order. Division is a multiplication in 24-bit fixed point.
 */
function boxBlur(from: Plane, into: Plane, radius: number, scratch: Scratch): void {
  const { width, height } = from;
  const scale = (1 << 24) / (2 * radius + 1);
  const { rows, sums } = scratch;
  for (let row = 0; row < height; row += 1) {
    const source = row * from.stride;
    const first = from.data[source];
    const last = from.data[source + width - 1];
    let sum = first * radius;
    for (let x = 0; x <= radius; x += 1) sum += x < width ? from.data[source + x] : last;
    for (let x = 0; x < width; x += 1) {
      rows[row * width + x] = (sum * scale + 0x800000) / 0x1000000;
      const enter = x + radius + 1;
      const leave = x - radius;
      sum += (enter < width ? from.data[source + enter] : last) - (leave >= 0 ? from.data[source + leave] : first);
    }
  }
  const bottom = (height - 1) * width;
  for (let x = 0; x < width; x += 1) sums[x] = rows[x] * radius;
  for (let y = 0; y <= radius; y += 1) {
    const at = Math.min(y * width, bottom);
    for (let x = 0; x < width; x += 1) sums[x] = sums[x] + rows[at + x];
  }
  for (let y = 0; y < height; y += 1) {
    const enter = Math.min((y + radius + 1) * width, bottom);
    const leave = Math.max((y - radius) * width, 0);
    const target = y * into.stride;
    for (let x = 0; x < width; x += 1) {
      const sum = sums[x];
      into.data[target + x] = (sum * scale + 0x800000) / 0x1000000;
      sums[x] = sum + rows[enter + x] - rows[leave + x];
    }
  }
}

class Blur extends FrameProcessor<typeof params> {
  readonly #scratch: Scratch = { rows: new Uint8Array(0), sums: new Uint32Array(0) };

  override processVideo(frame: VideoFrame): VideoFrame {
    const { radius } = this.params;
    if (radius === 0) return frame;
    const samples = frame.width * frame.height;
    if (this.#scratch.rows.length < samples) this.#scratch.rows = new Uint8Array(samples);
    if (this.#scratch.sums.length < frame.width) this.#scratch.sums = new Uint32Array(frame.width);
    for (const name of ['y', 'u', 'v'] as const) {
      const from = frame[name];
      boxBlur(from, frame.overwrite(name), name === 'y' ? radius : Math.max(1, radius >> 1), this.#scratch);
    }
    return frame;
  }
}

/** Softens the picture with a box blur. */
export const blur = defineProcessor({
  name: 'blur',
  description: 'Softens the picture; the radius does not change the cost.',
  params,
  create: () => new Blur(),
});
