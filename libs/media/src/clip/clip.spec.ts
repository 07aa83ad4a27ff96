import { describe, expect, it } from '@jest/globals';
import type { Picture } from '@runnel/media-core';
import { readBarcode } from './barcode.ts';
import { CounterCheck } from './counters.ts';
import { Scene } from './scene.ts';
import { clipSound, CLIP_SAMPLE_RATE } from './sound.ts';
import { SyncCheck } from './sync-check.ts';

const scene = new Scene({ width: 640, height: 360, fps: 30 });
const NUMBERS = [0, 1, 2, 1000, 65_535, 65_536, 2 ** 24 - 1];

/** Changes each luma sample, as a processor may. */
function alter(picture: Picture, change: (luma: number, x: number, y: number) => number): Picture {
  const luma = picture.planes[0].map((value, at) =>
    Math.max(0, Math.min(255, Math.round(change(value, at % picture.width, Math.floor(at / picture.width))))),
  );
  return { ...picture, planes: [luma, picture.planes[1], picture.planes[2]] };
}

/** A box blur of the luma plane. */
function blur(picture: Picture, radius: number): Picture {
  const { width, height } = picture;
  const source = picture.planes[0];
  return alter(picture, (_, x, y) => {
    let sum = 0;
    let count = 0;
    for (let dx = -radius; dx <= radius; dx += 2) {
      for (let dy = -radius; dy <= radius; dy += 2) {
        if (x + dx < 0 || x + dx >= width || y + dy < 0 || y + dy >= height) continue;
        sum += source[(y + dy) * width + x + dx];
        count += 1;
      }
    }
    return sum / count;
  });
}

function resize(picture: Picture, width: number, height: number): Picture {
  const luma = Uint8Array.from({ length: width * height }, (_, at) => {
    const [x, y] = [Math.floor(((at % width) * picture.width) / width), Math.floor((Math.floor(at / width) * picture.height) / height)];
    return picture.planes[0][y * picture.width + x];
  });
  return { ...picture, width, height, planes: [luma, luma, luma], strides: [width, width, width] };
}

describe('the bar code', () => {
  it.each(NUMBERS)('says frame %d', (number) => {
    expect(readBarcode(scene.draw(number))).toBe(number);
  });

  it.each<[string, (picture: Picture) => Picture]>([
    ['dimmed', (picture) => alter(picture, (luma) => 40 + luma * 0.3)],
    ['washed out', (picture) => alter(picture, (luma) => 120 + luma * 0.4)],
    ['a negative', (picture) => alter(picture, (luma) => 255 - luma)],
    ['noisy', (picture) => alter(picture, (luma, x, y) => luma + ((x * 31 + y * 17) % 61) - 30)],
    ['blurred', (picture) => blur(picture, 8)],
    ['smaller', (picture) => resize(picture, 320, 180)],
    ['of another shape', (picture) => resize(picture, 512, 512)],
  ])('is read in a picture that is %s', (_, change) => {
    for (const number of [1000, 2 ** 24 - 2]) expect(readBarcode(change(scene.draw(number)))).toBe(number);
  });

  it('is not seen where there is none, nor where a bit was changed', () => {
    expect(readBarcode(alter(scene.draw(5), () => 100))).toBeNull();
    expect(readBarcode(alter(scene.draw(5), (_, x) => x % 256))).toBeNull();
    const changed = scene.draw(5);
    for (let y = 24; y < 48; y += 1) changed.planes[0].fill(235, y * 640 + 48, y * 640 + 72);
    expect(readBarcode(changed)).toBeNull();
  });
});

describe('CounterCheck', () => {
  const check = (numbers: (number | null)[]) => {
    const counters = new CounterCheck();
    for (const number of numbers) counters.add(number);
    return counters.result();
  };
  const fine = { duplicates: 0, gaps: 0, misordered: 0, unreadable: 0 };

  it('finds nothing in a whole run', () => {
    expect(check([3, 4, 5])).toEqual({ first: 3, last: 5, ...fine });
  });

  it('counts duplicates, gaps, wrong order and what cannot be read', () => {
    expect(check([0, 0, 1])).toEqual({ first: 0, last: 1, ...fine, duplicates: 1 });
    expect(check([0, 1, 4])).toEqual({ first: 0, last: 4, ...fine, gaps: 2 });
    expect(check([0, 2, 1])).toEqual({ first: 0, last: 1, ...fine, gaps: 1, misordered: 1 });
    expect(check([0, null, 2, 3])).toEqual({ first: 0, last: 3, ...fine, unreadable: 1 });
    expect(check([0, null, 3])).toEqual({ first: 0, last: 3, ...fine, gaps: 1, unreadable: 1 });
  });

  it('says nothing of a file without numbers', () => {
    expect(check([])).toBeNull();
    expect(check(Array.from({ length: 50 }, (_, n) => (n === 20 ? 7 : null)))).toBeNull();
  });
});

describe('SyncCheck', () => {
  /** Ten seconds of clip whose sound is `lateMs` late; `luma` is what a lit and an unlit patch look like. */
  function offset(lateMs: number, luma: { lit: number; dark: number } = { lit: 235, dark: 16 }): number | null {
    const sync = new SyncCheck();
    const late = (lateMs * 90_000) / 1000;
    for (let frame = 0; frame < 300; frame += 1) sync.addFrame(frame * 3000, frame % 30 >= 15 && frame % 30 < 18 ? luma.lit : luma.dark);
    for (let from = 0; from < 10 * CLIP_SAMPLE_RATE; from += 1000) {
      const sound = clipSound({ from, count: 1000, fps: 30, frames: 300 });
      sync.addSound({ channels: [sound], sampleRate: CLIP_SAMPLE_RATE, pts: (from * 90_000) / CLIP_SAMPLE_RATE + late });
    }
    return sync.result();
  }

  it('measures how early or late the sound is', () => {
    expect(offset(0)).toBeCloseTo(0, 0);
    expect(offset(30)).toBeCloseTo(-30, 0);
    expect(offset(-120)).toBeCloseTo(120, 0);
  });

  it('measures a negative too, and nothing where the patch does not flash', () => {
    expect(offset(30, { lit: 20, dark: 220 })).toBeCloseTo(-30, 0);
    expect(offset(0, { lit: 100, dark: 90 })).toBeNull();
  });
});
