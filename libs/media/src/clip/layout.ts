/** A rectangle in pixels. */
export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/**
 * Where the marks of a test clip lie, in a grid of 26 x 15 cells over the picture, whatever its size: they are found again after
 * the picture was scaled. A cell of 640x360 is 24 pixels wide and high.
 */
const GRID = { columns: 26, rows: 15 } as const;

/** Smallest picture whose cells are 12 pixels. */
export const CLIP_MIN = { width: 312, height: 180 } as const;

/** A box of grid cells in pixels. */
export function cells(size: { width: number; height: number }, at: { column: number; row: number; columns: number; rows: number }): Box {
  const x = Math.round((at.column * size.width) / GRID.columns);
  const y = Math.round((at.row * size.height) / GRID.rows);
  return {
    x,
    y,
    width: Math.round(((at.column + at.columns) * size.width) / GRID.columns) - x,
    height: Math.round(((at.row + at.rows) * size.height) / GRID.rows) - y,
  };
}

/** The bar code: two rows of a guard cell and 16 bits. */
export const BARCODE = { column: 1, row: 1, bitsPerRow: 16 } as const;
/** The patch that flashes once a second. */
export const FLASH = { column: 20, row: 1, columns: 4, rows: 3 } as const;
/** The frame number in figures. */
export const FIGURES = { column: 1, row: 11, columns: 12, rows: 3 } as const;
/** Luma of black and white in limited range (ITU-R BT.601). */
export const LUMA = { black: 16, white: 235 } as const;

/** A clip flashes and beeps half a second after each full second; the flash stays for a tenth of it. */
export const MARKS = { offsetSeconds: 0.5, flashSeconds: 0.1, beepSeconds: 0.05, beepHz: 1000 } as const;

/** Mean of a box of luma samples. */
export function meanLuma(plane: Uint8Array, stride: number, { x, y, width, height }: Box): number {
  let sum = 0;
  for (let row = y; row < y + height; row += 1) for (let column = x; column < x + width; column += 1) sum += plane[row * stride + column];
  return sum / (width * height);
}

/** Fills a box of samples of a plane. */
export function fillBox(plane: Uint8Array, stride: number, { x, y, width, height }: Box, value: number): void {
  for (let row = y; row < y + height; row += 1) plane.fill(value, row * stride + x, row * stride + x + width);
}
