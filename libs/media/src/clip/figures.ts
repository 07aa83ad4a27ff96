import type { Picture } from '@runnel/media-core';
import { cells, FIGURES, fillBox, LUMA } from './layout.ts';

/** Figures 0 to 9, five columns by seven rows, a row a number. */
const FONT = [
  [14, 17, 19, 21, 25, 17, 14],
  [4, 12, 4, 4, 4, 4, 14],
  [14, 17, 1, 2, 4, 8, 31],
  [31, 2, 4, 2, 1, 17, 14],
  [2, 6, 10, 18, 31, 2, 2],
  [31, 16, 30, 1, 1, 17, 14],
  [6, 8, 16, 30, 17, 17, 14],
  [31, 1, 2, 4, 8, 8, 8],
  [14, 17, 17, 14, 17, 17, 14],
  [14, 17, 17, 15, 1, 2, 12],
] as const;
const DIGITS = 6;

/** Writes a number of six figures, white on black, for people to read. */
export function drawFigures({ width, height, planes, strides }: Omit<Picture, 'release'>, number: number): void {
  const box = cells({ width, height }, FIGURES);
  fillBox(planes[0], strides[0], box, LUMA.black);
  const dot = Math.max(1, Math.floor(Math.min(box.width / (DIGITS * 6 + 1), box.height / 9)));
  const text = String(number % 10 ** DIGITS).padStart(DIGITS, '0');
  for (let digit = 0; digit < DIGITS; digit += 1) {
    FONT[Number(text[digit])].forEach((bits, row) => {
      for (let column = 0; column < 5; column += 1) {
        if (((bits >> (4 - column)) & 1) === 0) continue;
        fillBox(
          planes[0],
          strides[0],
          { x: box.x + (1 + digit * 6 + column) * dot, y: box.y + (1 + row) * dot, width: dot, height: dot },
          LUMA.white,
        );
      }
    });
  }
}
