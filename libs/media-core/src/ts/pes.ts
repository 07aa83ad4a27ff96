import { readTimestamp } from './timestamp.ts';

/** Bytes of a PES header up to its length field. */
export const PES_START_BYTES = 6;

/** What the header of a PES packet says (ISO/IEC 13818-1, 2.4.3.6). Times are 33 bits wide. */
export interface PesHeader {
  pts: number;
  dts: number;
  /** Where the elementary stream's bytes begin. */
  payloadAt: number;
}

/** Bytes of the whole PES packet from its length field; 0 when the field is 0 (not known ahead), null when this is no PES packet. */
export function pesTotalBytes(bytes: Uint8Array): number | null {
  if (bytes[0] !== 0 || bytes[1] !== 0 || bytes[2] !== 1) return null;
  const length = (bytes[4] << 8) | bytes[5];
  return length === 0 ? 0 : PES_START_BYTES + length;
}

/** Reads the header of a whole PES packet; null when it is malformed or carries no PTS. */
export function readPesHeader(bytes: Uint8Array): PesHeader | null {
  if (bytes.length < 9 || (bytes[6] & 0xc0) !== 0x80) return null;
  const flags = bytes[7] >> 6;
  const payloadAt = 9 + bytes[8];
  if (payloadAt > bytes.length || flags < 2 || bytes[8] < (flags === 3 ? 10 : 5)) return null;
  const pts = readTimestamp(bytes, 9);
  const dts = flags === 3 ? readTimestamp(bytes, 14) : pts;
  return pts === null || dts === null ? null : { pts, dts, payloadAt };
}
