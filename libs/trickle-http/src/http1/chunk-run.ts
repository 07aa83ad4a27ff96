const CR = 13;
const LF = 10;

/** Digits of a chunk size that are read: up to 4 GiB. */
const MAX_DIGITS = 8;

/** Bytes of `0 CRLF CRLF`. */
export const FINAL_BYTES = 5;

/** What a run of chunks is. */
export interface ChunkRun {
  /** Position behind it. */
  end: number;
  /** Bytes of payload in it. */
  size: number;
  /** Bytes of the last chunk that are still to come; 0 when it is whole, or has all its bytes and only its end is missing. */
  left: number;
  /** Bytes of the last chunk's CRLF that are in it: 2, unless it was cut there or something else stands there. */
  crlf: number;
  /** Whether the last chunk of the body (`0 CRLF CRLF`, no trailers) follows. */
  last: boolean;
}

const RUN: ChunkRun = { end: 0, size: 0, left: 0, crlf: 2, last: false };

/**
 * The longest run of a chunked body (RFC 9112, 7.1) from `at` on that can go out as it came in: chunks without extensions, at first the rest
 * of one (`lead` bytes, 0 for none), at last the beginning of one. A chunk of which only the size is there does not belong to it, nor one
 * that is larger than `maxChunkBytes`.
 * The result is one object that is used again: a read of a small segment makes no garbage here.
 */
export function scanRun(buffer: Buffer, at: number, limits: { lead: number; maxChunkBytes: number }): ChunkRun {
  RUN.end = at;
  RUN.size = 0;
  RUN.left = 0;
  RUN.crlf = 2;
  RUN.last = false;
  if (limits.lead > 0 && !takeData(buffer, at, limits.lead)) return RUN;
  while (RUN.end < buffer.length) {
    const start = RUN.end;
    let position = start;
    let size = 0;
    for (; position < buffer.length && position - start <= MAX_DIGITS; position += 1) {
      const digit = hexDigit(buffer[position]);
      if (digit < 0) break;
      size = size * 16 + digit;
    }
    const digits = position - start;
    const isLine = digits > 0 && digits <= MAX_DIGITS && buffer[position] === CR && buffer[position + 1] === LF;
    if (!isLine || size > limits.maxChunkBytes) return RUN;
    if (size === 0) {
      RUN.last = digits === 1 && buffer[position + 2] === CR && buffer[position + 3] === LF;
      return RUN;
    }
    if (position + 2 >= buffer.length || !takeData(buffer, position + 2, size)) return RUN;
  }
  return RUN;
}

/** Adds the bytes of a chunk and its CRLF, as far as they are there, to the run. Returns whether they all are. */
function takeData(buffer: Buffer, at: number, bytes: number): boolean {
  const { length } = buffer;
  const end = at + bytes;
  if (end > length) {
    RUN.size += length - at;
    RUN.left = end - length;
    RUN.end = length;
    return false;
  }
  // What stands where the CRLF should be is looked at by who reads on.
  const crlf = buffer[end] === CR ? (buffer[end + 1] === LF ? 2 : end + 1 === length ? 1 : 0) : 0;
  RUN.size += bytes;
  RUN.crlf = crlf;
  RUN.end = end + crlf;
  return crlf === 2;
}

/** Value of a hexadecimal digit in ASCII; -1 for anything else. */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
