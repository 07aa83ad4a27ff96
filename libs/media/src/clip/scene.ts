import type { Picture } from '@runnel/media-core';
import { drawBarcode } from './barcode.ts';
import { drawFigures } from './figures.ts';
import { cells, FLASH, fillBox, LUMA, MARKS } from './layout.ts';

/** Draws the frames of a test clip: a drifting wash of colour, a ball that bounces, and the marks. */
export class Scene {
  readonly #size: { width: number; height: number };
  readonly #fps: number;
  readonly #planes: [Uint8Array, Uint8Array, Uint8Array];
  /** Two periods of a wave, so that a row is a slice of it. */
  readonly #wave: Uint8Array;

  constructor({ width, height, fps }: { width: number; height: number; fps: number }) {
    this.#size = { width, height };
    this.#fps = fps;
    this.#planes = [
      new Uint8Array(width * height),
      new Uint8Array((width >> 1) * (height >> 1)),
      new Uint8Array((width >> 1) * (height >> 1)),
    ];
    this.#wave = Uint8Array.from({ length: width * 2 }, (_, x) => 128 + Math.round(60 * Math.sin((2 * Math.PI * x) / width)));
  }

  /** Frame `number`; its memory is that of the frame before. */
  draw(number: number): Picture {
    const { width, height } = this.#size;
    const [luma, blue, red] = this.#planes;
    for (let y = 0; y < height; y += 1) luma.set(this.#slice(number * 2 + y, width), y * width);
    const halfWidth = width >> 1;
    for (let y = 0; y < height >> 1; y += 1) {
      blue.set(this.#slice(number * 3 + y * 2, halfWidth), y * halfWidth);
      red.set(this.#slice(width - ((number * 2 + y) % width), halfWidth), y * halfWidth);
    }
    this.#drawBall(number);
    const picture: Picture = {
      ...this.#size,
      planes: this.#planes,
      strides: [width, halfWidth, halfWidth],
      pts: 0,
      release: () => undefined,
    };
    fillBox(luma, width, cells(this.#size, FLASH), isFlashing(number, this.#fps) ? LUMA.white : LUMA.black);
    this.#removeColour(cells(this.#size, FLASH));
    drawBarcode(picture, number);
    drawFigures(picture, number);
    return picture;
  }

  #slice(offset: number, length: number): Uint8Array {
    const from = offset % this.#size.width;
    return this.#wave.subarray(from, from + length);
  }

  #drawBall(number: number): void {
    const { width, height } = this.#size;
    const radius = height / 9;
    const centre = { x: bounce(number * 5, radius, width - radius), y: bounce(number * 3, radius, height - radius) };
    const [luma, blue, red] = this.#planes;
    for (let y = Math.ceil(centre.y - radius); y <= centre.y + radius && y < height; y += 1) {
      const half = Math.sqrt(Math.max(0, radius ** 2 - (y - centre.y) ** 2));
      const [from, to] = [Math.max(0, Math.ceil(centre.x - half)), Math.min(width, Math.floor(centre.x + half))];
      luma.fill(200, y * width + from, y * width + to);
      if (y % 2 !== 0) continue;
      const row = (y >> 1) * (width >> 1);
      blue.fill(70, row + (from >> 1), row + (to >> 1));
      red.fill(190, row + (from >> 1), row + (to >> 1));
    }
  }

  #removeColour({ x, y, width, height }: { x: number; y: number; width: number; height: number }): void {
    const box = { x: x >> 1, y: y >> 1, width: width >> 1, height: height >> 1 };
    for (const plane of [this.#planes[1], this.#planes[2]]) fillBox(plane, this.#size.width >> 1, box, 128);
  }
}

/** First frame of the flash in the second that begins with frame `second * fps`. */
export function flashFrame(second: number, fps: number): number {
  return Math.round((second + MARKS.offsetSeconds) * fps);
}

/** Whether the patch is white in a frame. */
function isFlashing(number: number, fps: number): boolean {
  const length = Math.max(1, Math.round(MARKS.flashSeconds * fps));
  const second = Math.floor(number / fps);
  return [second - 1, second].some((candidate) => number >= flashFrame(candidate, fps) && number < flashFrame(candidate, fps) + length);
}

/** A position that runs to and fro between two walls. */
function bounce(distance: number, low: number, high: number): number {
  const span = high - low;
  const at = distance % (2 * span);
  return low + (at < span ? at : 2 * span - at);
}
