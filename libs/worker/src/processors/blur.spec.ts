import { describe, expect, it } from '@jest/globals';
import { frameOf, loaded } from '../testing/frames.ts';
import { blur } from './blur.ts';

/** The same by definition: the mean of the square around each sample, edges repeated, rounded after each direction. */
function slowBlur(data: Uint8Array, { width, height }: { width: number; height: number }, radius: number): number[] {
  const clamp = (at: number, size: number) => Math.max(0, Math.min(size - 1, at));
  const mean = (values: number[]) => Math.round(values.reduce((sum, value) => sum + value, 0) / values.length);
  const around = Array.from({ length: 2 * radius + 1 }, (_, at) => at - radius);
  const rows = Array.from(data, (_, i) => mean(around.map((d) => data[Math.floor(i / width) * width + clamp((i % width) + d, width)])));
  return rows.map((_, i) => mean(around.map((d) => rows[clamp(Math.floor(i / width) + d, height) * width + (i % width)])));
}

describe('blur', () => {
  it.each([1, 2, 5, 40])('of radius %p is the mean of the square around each sample', async (radius) => {
    const size = { width: 32, height: 20 };
    const frame = frameOf(size, { y: (x, y) => (x * 37 + y * 91 + x * y) & 0xff });
    const expected = slowBlur(frame.y.data, size, radius);
    await (await loaded(blur, { radius })).processVideo(frame);
    const worst = Math.max(...expected.map((value, at) => Math.abs(value - frame.y.data[at])));
    expect(worst).toBeLessThanOrEqual(1);
  });

  it('leaves a flat picture and radius 0 as they are, also when the size changes', async () => {
    const processor = await loaded(blur, { radius: 6 });
    for (const size of [
      { width: 16, height: 16 },
      { width: 60, height: 4 },
      { width: 4, height: 60 },
    ]) {
      const frame = frameOf(size, { y: () => 77, u: () => 33 });
      await processor.processVideo(frame);
      expect([...new Set(frame.y.data), ...new Set(frame.u.data)]).toEqual([77, 33]);
    }
    const sharp = frameOf({ width: 8, height: 8 }, { y: (x) => x });
    const before = sharp.y.data;
    await (await loaded(blur, { radius: 0 })).processVideo(sharp);
    expect(sharp.y.data).toBe(before);
  });
});
