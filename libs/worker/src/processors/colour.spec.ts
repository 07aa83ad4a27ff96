import { describe, expect, it } from '@jest/globals';
import { frameOf, loaded } from '../testing/frames.ts';
import { grayscale } from './grayscale.ts';
import { passthrough } from './passthrough.ts';
import { tint } from './tint.ts';

const SIZE = { width: 10, height: 6 };
const fill = { y: (x: number) => 20 + x, u: (x: number) => 28 + x, v: (x: number) => 228 - x };

describe('passthrough', () => {
  it('touches nothing', async () => {
    const frame = frameOf(SIZE, fill);
    const before = frame.view();
    expect(await (await loaded(passthrough)).processVideo(frame)).toBe(frame);
    expect(frame.view()).toEqual(before);
  });
});

describe('grayscale', () => {
  it.each([
    [1, 128, 128],
    [0.5, 78, 178],
    [0, 28, 228],
  ])('moves chroma to neutral by amount %p and leaves luma', async (amount, u, v) => {
    const frame = frameOf(SIZE, fill);
    const luma = frame.y.data;
    await (await loaded(grayscale, { amount })).processVideo(frame);
    expect([frame.u.data[0], frame.v.data[0]]).toEqual([u, v]);
    expect(frame.y.data).toBe(luma);
  });
});

describe('tint', () => {
  // Chroma of BT.601 limited range as ffmpeg's swscale gives it for these colours.
  it.each([
    ['#ff0000', 90, 240],
    ['#00ff00', 54, 34],
    ['#0000ff', 240, 110],
    ['#808080', 128, 128],
  ])('of %s has the chroma of that colour', async (color, u, v) => {
    const frame = frameOf(SIZE, fill);
    await (await loaded(tint, { color, amount: 1 })).processVideo(frame);
    expect(Math.abs(frame.u.data[3] - u)).toBeLessThanOrEqual(1);
    expect(Math.abs(frame.v.data[3] - v)).toBeLessThanOrEqual(1);
    expect(frame.y.data[1]).toBe(21);
  });

  it('mixes by amount', async () => {
    const frame = frameOf(SIZE, { u: () => 40, v: () => 40 });
    await (await loaded(tint, { color: '#808080', amount: 0.5 })).processVideo(frame);
    expect([frame.u.data[0], frame.v.data[0]]).toEqual([84, 84]);
  });
});
