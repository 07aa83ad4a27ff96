import type { Ticks } from '../frames.ts';
import { TIMESTAMP_WRAP } from './constants.ts';

/** Reads a 33-bit PTS or DTS of five bytes (ISO/IEC 13818-1, 2.4.3.7); null when a marker bit is missing. */
export function readTimestamp(bytes: Uint8Array, at: number): number | null {
  const b0 = bytes[at];
  const b2 = bytes[at + 2];
  const b4 = bytes[at + 4];
  if ((b0 & b2 & b4 & 1) === 0) return null;
  // The top three bits do not fit a 32-bit shift.
  return ((b0 >> 1) & 7) * 2 ** 30 + ((bytes[at + 1] << 22) | ((b2 >> 1) << 15) | (bytes[at + 3] << 7) | (b4 >> 1));
}

/** Writes the low 33 bits of a time with the four-bit prefix that tells PTS from DTS (0b0010, 0b0011, 0b0001). */
export function writeTimestamp(bytes: Uint8Array, at: number, prefix: number, ticks: Ticks): void {
  const value = wrapTicks(ticks);
  const low = value % 2 ** 30;
  bytes[at] = (prefix << 4) | (Math.floor(value / 2 ** 30) << 1) | 1;
  bytes[at + 1] = low >> 22;
  bytes[at + 2] = ((low >> 14) & 0xfe) | 1;
  bytes[at + 3] = low >> 7;
  bytes[at + 4] = ((low << 1) & 0xfe) | 1;
}

/** A time as its low 33 bits; negative times wrap as the clock does. */
export function wrapTicks(ticks: Ticks): number {
  const rest = Math.round(ticks) % TIMESTAMP_WRAP;
  return rest < 0 ? rest + TIMESTAMP_WRAP : rest;
}

/**
 * Makes 33-bit times continuous: each is placed where it is nearest to the one before. One instance serves all streams of a
 * program, so that audio and video stay on one clock.
 */
export class TimestampUnwrapper {
  #last: Ticks | null = null;

  /** A 33-bit time as continuous ticks; right as long as it lies within 13 hours of the one before, either way. */
  unwrap(value: number): Ticks {
    const near = this.#last ?? value;
    const ticks = value + Math.round((near - value) / TIMESTAMP_WRAP) * TIMESTAMP_WRAP;
    this.#last = ticks;
    return ticks;
  }
}
