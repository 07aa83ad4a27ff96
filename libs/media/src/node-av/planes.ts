/** One plane of samples in memory. */
export interface Plane {
  data: Uint8Array;
  /** Bytes from one row to the next. */
  stride: number;
}

/** Copies `height` rows of `width` bytes between planes of different strides. */
export function copyPlane(from: Plane, to: Plane, width: number, height: number): void {
  if (from.stride === to.stride) {
    to.data.set(from.data.subarray(0, from.stride * (height - 1) + width));
    return;
  }
  for (let row = 0; row < height; row += 1) to.data.set(from.data.subarray(row * from.stride, row * from.stride + width), row * to.stride);
}
