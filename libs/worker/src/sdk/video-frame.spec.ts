import { describe, expect, it } from '@jest/globals';
import { flatPicture, greyConverter } from '../testing/toy-codec.ts';
import { PicturePool } from './picture-pool.ts';
import { VideoFrame } from './video-frame.ts';

const FLAT = { width: 8, height: 6, y: 50, u: 60, v: 70 };

function setUp() {
  let released = 0;
  const picture = flatPicture(FLAT, 3000, () => (released += 1));
  const converter = greyConverter();
  const frame = new VideoFrame(picture, 7, { pool: new PicturePool(), converter });
  return { picture, frame, converter, released: () => released };
}

describe('VideoFrame', () => {
  it('shows the decoder’s planes without a copy or a conversion', () => {
    const { picture, frame, converter } = setUp();
    expect([frame.width, frame.height, frame.pts, frame.number]).toEqual([8, 6, 3000, 7]);
    expect(frame.y.data).toBe(picture.planes[0]);
    expect(frame.u).toEqual({ data: picture.planes[1], stride: 4, width: 4, height: 3 });
    expect(converter.calls).toEqual([]);
  });

  it('copies a plane before it is written, and only that one', () => {
    const { picture, frame } = setUp();
    frame.edit('u').data[0] = 1;
    expect(picture.planes[1][0]).toBe(60);
    expect([...frame.u.data.subarray(0, 2)]).toEqual([1, 60]);
    expect(frame.view().planes[0]).toBe(picture.planes[0]);
    expect(frame.edit('u').data[0]).toBe(1);
  });

  it('keeps a plane that was read when the same plane is overwritten, time after time', () => {
    const { frame } = setUp();
    const first = frame.y;
    const second = frame.overwrite('y');
    second.data.fill(1);
    const third = frame.overwrite('y');
    third.data.fill(2);
    expect([first.data[0], second.data[0], third.data[0]]).toEqual([50, 1, 2]);
    expect(frame.view().planes[0]).toBe(third.data);
  });

  it('converts to RGB once, and again only after a change', () => {
    const { frame, converter } = setUp();
    const rgb = frame.rgb();
    expect(rgb).toHaveLength(8 * 6 * 3);
    expect(frame.rgb()).toBe(rgb);
    expect(converter.calls).toEqual(['toRgb']);
    frame.edit('y').data.fill(99);
    expect(frame.rgb()[0]).toBe(99);
  });

  it('takes RGB of another size, scaled where asked', () => {
    const { picture, frame } = setUp();
    frame.replaceRgb({ width: 4, height: 4, data: new Uint8Array(48).fill(200) });
    expect([frame.width, frame.height, frame.y.data[0], frame.u.data[0]]).toEqual([4, 4, 200, 128]);
    frame.replaceRgb({ width: 4, height: 4, data: new Uint8Array(48).fill(210) }, { width: 10, height: 2 });
    expect([frame.width, frame.height, frame.y.data[19]]).toEqual([10, 2, 210]);
    expect(picture.planes[0][0]).toBe(50);
    expect(() => frame.replaceRgb({ width: 4, height: 4, data: new Uint8Array(47) })).toThrow('that size has 48');
  });

  it('copies planes that it is given and refuses those that are too short', () => {
    const { frame } = setUp();
    const luma = new Uint8Array(5 * 3).fill(9);
    const chroma = new Uint8Array(2 * 2).fill(8);
    frame.replacePlanes({ width: 4, height: 3, planes: [luma, chroma, chroma], strides: [5, 2, 2], fullRange: true });
    luma.fill(0);
    expect(frame.view()).toMatchObject({ width: 4, height: 3, strides: [4, 2, 2], fullRange: true });
    expect([...frame.y.data]).toEqual(Array(12).fill(9));
    expect(() => frame.replacePlanes({ width: 4, height: 4, planes: [luma, chroma, chroma], strides: [5, 2, 2] })).toThrow('too short');
  });

  it('sends luma through a map, clamped', () => {
    const { frame } = setUp();
    expect(frame.mapLuma((y) => y * 10).y.data[0]).toBe(255);
  });

  it('gives its memory back with the last hold, and is not to be touched afterwards', () => {
    const { frame, released } = setUp();
    frame.retain();
    frame.release();
    expect(released()).toBe(0);
    {
      using held = frame;
      expect(held.y.data[0]).toBe(50);
    }
    expect(released()).toBe(1);
    frame.release();
    expect(released()).toBe(1);
    for (const touch of [() => frame.y, () => frame.edit('y'), () => frame.rgb(), () => frame.view(), () => frame.retain()])
      expect(touch).toThrow('was used after its release');
  });
});

describe('PicturePool', () => {
  it('uses memory again that was given back, once', () => {
    const pool = new PicturePool();
    const first = pool.acquire(4, 4);
    const second = pool.acquire(4, 4);
    expect(second.planes[0].buffer).not.toBe(first.planes[0].buffer);
    first.release();
    first.release();
    const third = pool.acquire(4, 4);
    const fourth = pool.acquire(4, 4);
    expect(third.planes[0].buffer).toBe(first.planes[0].buffer);
    expect(fourth.planes[0].buffer).not.toBe(first.planes[0].buffer);
    expect(() => pool.acquire(0, 4)).toThrow('0x4');
  });
});
