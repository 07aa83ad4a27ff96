import { describe, expect, it } from '@jest/globals';
import type { VideoFrame } from '../../sdk/video-frame.ts';
import { frameOf, loaded } from '../../testing/frames.ts';
import { glyphRows } from './font.ts';
import { overlay } from './overlay.ts';

const CHARACTERS = ' !"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]_|';

/** Reads text back from the picture: dots of one pixel (size 7), from the given corner. */
function readText(frame: VideoFrame, { left, top, length }: { left: number; top: number; length: number }): string {
  const byRows = new Map(Array.from(CHARACTERS).map((character) => [glyphRows(character).join(), character]));
  return Array.from({ length }, (_, n) => {
    const rows = Array.from({ length: 7 }, (_, row) =>
      Array.from({ length: 5 }, (_, x) => frame.y.data[(top + row) * frame.y.stride + left + n * 6 + x]).reduce(
        (bits, luma) => bits * 2 + (luma === 235 ? 1 : 0),
        0,
      ),
    );
    return byRows.get(rows.join()) ?? '?';
  }).join('');
}

describe('overlay', () => {
  it('has a glyph of its own for every character', () => {
    expect(new Set(Array.from(CHARACTERS).map((character) => glyphRows(character).join())).size).toBe(CHARACTERS.length);
    expect(glyphRows('a')).toEqual(glyphRows('A'));
    expect(glyphRows('é')).toEqual(glyphRows('ß'));
  });

  it('writes the clock and the text so that they can be read back', async () => {
    const frame = frameOf({ width: 120, height: 60 }, { y: () => 180, u: () => 20 });
    await (await loaded(overlay, { text: 'hi there', size: 7 })).processVideo(frame);
    expect(readText(frame, { left: 3, top: 3, length: 12 })).toBe('13:05:09.042');
    expect(readText(frame, { left: 3, top: 12, length: 8 })).toBe('HI THERE');
  });

  it('puts a dark outline around the letters and takes their colour out, and leaves the rest alone', async () => {
    const frame = frameOf({ width: 60, height: 20 }, { y: () => 235, u: () => 20 });
    await (await loaded(overlay, { text: '|', clock: false, size: 7 })).processVideo(frame);
    // The bar stands in the middle column of its glyph.
    expect([...frame.y.data.subarray(5 * 60 + 2, 5 * 60 + 10)]).toEqual([235, 235, 16, 235, 16, 235, 235, 235]);
    expect(frame.u.data[2 * 30 + 2]).toBe(128);
    expect(frame.u.data[9 * 30 + 29]).toBe(20);
  });

  it.each([
    ['top-left', [0, 0]],
    ['top-right', [1, 0]],
    ['bottom-left', [0, 1]],
    ['bottom-right', [1, 1]],
  ] as const)('stands at the %s', async (position, [right, bottom]) => {
    const frame = frameOf({ width: 100, height: 60 }, { y: () => 100 });
    await (await loaded(overlay, { text: 'X', clock: false, size: 14, position })).processVideo(frame);
    const lit = [...frame.y.data].flatMap((luma, at) => (luma === 235 ? [[at % 100, Math.floor(at / 100)]] : []));
    expect(lit.length).toBeGreaterThan(10);
    expect(lit.every(([x, y]) => x >= 50 === (right === 1) && y >= 30 === (bottom === 1))).toBe(true);
  });

  it('is clipped where the picture ends, and draws nothing when there is nothing to draw', async () => {
    const small = frameOf({ width: 16, height: 8 });
    expect((await loaded(overlay, { text: 'a very long text', size: 60, position: 'center' })).processVideo(small)).toBe(small);
    const untouched = frameOf({ width: 16, height: 16 });
    const before = untouched.y.data;
    await (await loaded(overlay, { clock: false })).processVideo(untouched);
    expect(untouched.y.data).toBe(before);
  });
});
