import type { Plane } from '../../sdk/video-frame.ts';
import { NEUTRAL } from '../chroma.ts';
import { GLYPH_HEIGHT, GLYPH_WIDTH, glyphRows } from './font.ts';

/** Luma of the letters and of their outline (limited range white and black). */
const WHITE = 235;
const BLACK = 16;

/** Corner, or centre, of the picture that a text stands in. */
export type Position = 'top-left' | 'top-right' | 'bottom-left' | 'bottom-right' | 'center';

interface Planes {
  y: Plane;
  u: Plane;
  v: Plane;
}

interface Rect {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** Writes lines of text in white with a black outline; what does not fit is clipped. `size` is the height of a letter in pixels. */
export function drawText(planes: Planes, lines: readonly string[], { position, size }: { position: Position; size: number }): void {
  const dot = Math.max(1, Math.round(size / GLYPH_HEIGHT));
  const outline = Math.max(1, Math.round(dot / 2));
  const advance = (GLYPH_WIDTH + 1) * dot;
  const lineHeight = (GLYPH_HEIGHT + 2) * dot;
  const margin = 2 * dot + outline;
  const blockHeight = lines.length * lineHeight - 2 * dot;
  const top = anchor(position, { start: 'top', end: 'bottom' }, { space: planes.y.height, extent: blockHeight, margin });
  const dots: Rect[] = [];
  for (const [index, line] of lines.entries()) {
    const characters = Array.from(line);
    const extent = characters.length * advance - dot;
    const left = anchor(position, { start: 'left', end: 'right' }, { space: planes.y.width, extent, margin });
    for (const [column, character] of characters.entries())
      collectDots(dots, character, { left: left + column * advance, top: top + index * lineHeight, width: dot, height: dot });
  }
  // All outlines before all letters, so that no outline covers a neighbour.
  for (const { left, top: at, width, height } of dots) {
    const around = { left: left - outline, top: at - outline, width: width + 2 * outline, height: height + 2 * outline };
    fill(planes.y, around, BLACK);
    const half = { left: around.left >> 1, top: around.top >> 1, width: (around.width >> 1) + 1, height: (around.height >> 1) + 1 };
    fill(planes.u, half, NEUTRAL);
    fill(planes.v, half, NEUTRAL);
  }
  for (const rect of dots) fill(planes.y, rect, WHITE);
}

function anchor(
  position: Position,
  { start, end }: { start: string; end: string },
  { space, extent, margin }: { space: number; extent: number; margin: number },
): number {
  if (position.includes(start)) return margin;
  return position.includes(end) ? space - extent - margin : (space - extent) >> 1;
}

/** The lit runs of a glyph as rectangles. `cell` is where its first dot lies. */
function collectDots(into: Rect[], character: string, cell: Rect): void {
  for (const [row, bits] of glyphRows(character).entries()) {
    for (let column = 0; column < GLYPH_WIDTH; column += 1) {
      const from = column;
      while (column < GLYPH_WIDTH && (bits >> (GLYPH_WIDTH - 1 - column)) & 1) column += 1;
      if (column === from) continue;
      into.push({
        left: cell.left + from * cell.width,
        top: cell.top + row * cell.height,
        width: (column - from) * cell.width,
        height: cell.height,
      });
    }
  }
}

function fill(plane: Plane, { left, top, width, height }: Rect, value: number): void {
  const from = Math.max(0, left);
  const to = Math.min(plane.width, left + width);
  if (to <= from) return;
  for (let row = Math.max(0, top); row < Math.min(plane.height, top + height); row += 1)
    plane.data.fill(value, row * plane.stride + from, row * plane.stride + to);
}
