import type { Picture } from '@runnel/media-core';
import { BARCODE, cells, fillBox, LUMA, meanLuma } from './layout.ts';

/** Frame numbers are taken modulo this: 24 bits. */
const BARCODE_NUMBERS = 2 ** 24;
/** Black and white must differ by this much luma to be told apart. */
const CONTRAST_MIN = 24;

/** CRC-8 (polynomial 0x07) of the 24 bits; its start value keeps an all-black or all-white bar from being valid. */
function checkBits(number: number): number {
  let crc = 0x5a;
  for (const byte of [number >> 16, (number >> 8) & 0xff, number & 0xff]) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 0x80) === 0 ? crc << 1 : (crc << 1) ^ 0x107;
  }
  return crc;
}

function cell(size: { width: number; height: number }, row: number, index: number) {
  return cells(size, { column: BARCODE.column + index, row: BARCODE.row + row, columns: 1, rows: 1 });
}

/** Burns a frame number into the luma plane: per row a guard (white above, black below) and 16 bits, highest first. */
export function drawBarcode({ width, height, planes, strides }: Omit<Picture, 'release'>, number: number): void {
  const value = number % BARCODE_NUMBERS;
  const rows = [value >> 8, ((value & 0xff) << 8) | checkBits(value)];
  rows.forEach((bits, row) => {
    fillBox(planes[0], strides[0], cell({ width, height }, row, 0), row === 0 ? LUMA.white : LUMA.black);
    for (let index = 0; index < BARCODE.bitsPerRow; index += 1) {
      const isSet = ((bits >> (BARCODE.bitsPerRow - 1 - index)) & 1) === 1;
      fillBox(planes[0], strides[0], cell({ width, height }, row, index + 1), isSet ? LUMA.white : LUMA.black);
    }
  });
}

/** Reads the frame number back from luma alone, also where black and white are swapped or tinted; null when there is none. */
export function readBarcode({ width, height, planes, strides }: Omit<Picture, 'release'>): number | null {
  const level = (row: number, index: number): number => {
    const box = cell({ width, height }, row, index);
    // The middle of a cell: its edges are blurred by scaling and coding.
    const [dx, dy] = [box.width >> 2, box.height >> 2];
    return meanLuma(planes[0], strides[0], {
      x: box.x + dx,
      y: box.y + dy,
      width: Math.max(1, box.width - 2 * dx),
      height: Math.max(1, box.height - 2 * dy),
    });
  };
  const [white, black] = [level(0, 0), level(1, 0)];
  if (Math.abs(white - black) < CONTRAST_MIN) return null;
  const middle = (white + black) / 2;
  const readRow = (row: number): number => {
    let bits = 0;
    for (let index = 1; index <= BARCODE.bitsPerRow; index += 1)
      bits = (bits << 1) | (level(row, index) > middle === white > black ? 1 : 0);
    return bits;
  };
  const [upper, lower] = [readRow(0), readRow(1)];
  const number = (upper << 8) | (lower >> 8);
  return checkBits(number) === (lower & 0xff) ? number : null;
}
