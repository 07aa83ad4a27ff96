import { describe, expect, it } from '@jest/globals';
import { rotate, rotationOf, type Rotation } from './rotation.ts';

const picture = (width: number, height: number, luma: number[]) => ({
  width,
  height,
  planes: [Uint8Array.from(luma), new Uint8Array((width * height) / 4), new Uint8Array((width * height) / 4)] as const,
  strides: [width, width / 2, width / 2] as const,
  pts: 0,
  release: () => undefined,
});

describe('rotate', () => {
  it.each<[Rotation, number, number, number[]]>([
    [90, 2, 4, [5, 1, 6, 2, 7, 3, 8, 4]],
    [180, 4, 2, [8, 7, 6, 5, 4, 3, 2, 1]],
    [270, 2, 4, [4, 8, 3, 7, 2, 6, 1, 5]],
  ])('turns clockwise by %d degrees', (rotation, width, height, luma) => {
    const into = picture(
      width,
      height,
      Array.from({ length: 8 }, () => 0),
    );
    const from = picture(4, 2, [1, 2, 3, 4, 5, 6, 7, 8]);
    from.planes[1].set([20, 30]);
    rotate(from, into, rotation);
    expect([...into.planes[0]]).toEqual(luma);
    expect([...into.planes[1]]).toEqual(rotation === 90 ? [20, 30] : [30, 20]);
  });
});

describe('rotationOf', () => {
  const matrix = (a: number, b: number): Uint8Array => new Uint8Array(Int32Array.from([a, b, 0, -b, a, 0, 0, 0, 1 << 30]).buffer);
  it('reads quarter turns, and none without a matrix', () => {
    const one = 1 << 16;
    expect([matrix(one, 0), matrix(0, one), matrix(-one, 0), matrix(0, -one)].map(rotationOf)).toEqual([0, 90, 180, 270]);
    expect([null, new Uint8Array(3)].map(rotationOf)).toEqual([0, 0]);
  });
});
