import type { Picture } from '@runnel/media-core';

/** Degrees clockwise by which a picture has to be turned to be upright. */
export type Rotation = 0 | 90 | 180 | 270;

/**
 * What a display matrix (ISO/IEC 14496-12, 8.2.2.3, as FFmpeg hands it on: nine numbers of 32 bits in the machine's order) says of rotation, to
 * the next quarter turn. Phones write it instead of turning their pictures.
 */
export function rotationOf(matrix: Uint8Array | null): Rotation {
  if (matrix === null || matrix.length < 36) return 0;
  const numbers = new DataView(matrix.buffer, matrix.byteOffset, matrix.length);
  const degrees = (Math.atan2(numbers.getInt32(4, true), numbers.getInt32(0, true)) * 180) / Math.PI;
  return ((((Math.round(degrees / 90) * 90) % 360) + 360) % 360) as Rotation;
}

/** Turns a picture of even sides into one of fitting size; a quarter turn swaps width and height. */
export function rotate(from: Picture, into: Picture, rotation: Rotation): void {
  from.planes.forEach((plane, index) => {
    const shift = index === 0 ? 0 : 1;
    const [width, height] = [from.width >> shift, from.height >> shift];
    const [fromStride, toStride] = [from.strides[index], into.strides[index]];
    // Where the pixel at the origin goes, and how far the next of its row and the next of its column are from there.
    const [start, alongRow, alongColumn] = {
      0: [0, 1, toStride],
      90: [height - 1, toStride, -1],
      180: [(height - 1) * toStride + width - 1, -1, -toStride],
      270: [(width - 1) * toStride, -toStride, 1],
    }[rotation];
    const to = into.planes[index];
    for (let y = 0; y < height; y += 1) {
      let at = start + y * alongColumn;
      const row = y * fromStride;
      for (let x = 0; x < width; x += 1, at += alongRow) to[at] = plane[row + x];
    }
  });
}
