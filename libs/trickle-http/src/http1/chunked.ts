import { Chunk } from '@runnel/trickle-core';

/** Longest chunk-size line: eight digits and an extension that nobody needs (RFC 9112, 7.1.1). */
const MAX_SIZE_LINE_BYTES = 256;

/** Longest trailer section, which is read over. */
const MAX_TRAILER_BYTES = 8192;

/** A piece that would keep more than this many times its size of received memory is copied out of it. */
const MAX_PINNED_RATIO = 4;

/** Buffers that are not worth a copy. */
const SMALL_BYTES = 4096;

const CR = 13;
const LF = 10;

/** Who takes what a decoder finds. A method that returns false wants no more for now: the decoder stops behind what it handed out. */
export interface ChunkedSink {
  /** Whole chunks; `last`: the body ended with them. */
  chunk(chunk: Chunk, last: boolean): boolean;
  /** The beginning or the middle of a chunk, the rest of which comes later. */
  part(chunk: Chunk): boolean;
}

/** Where a decoder is: between chunks, in the bytes of one, or behind the last. */
type Phase = 'size' | 'data' | 'crlf' | 'trailer' | 'done';

/**
 * Decodes a chunked body (RFC 9112, 7.1) from pieces as they are received. Runs of whole chunks are handed on as one slice of the
 * received buffer, framing and all, because sending is what costs: one slice is one write to each reader. Bytes of a chunk that
 * is not complete yet are handed on at once.
 */
export class ChunkedDecoder {
  #phase: Phase = 'size';
  /** Bytes of the chunk still to come. */
  #left = 0;
  /** A size line or trailer line that came in pieces. */
  #line = '';
  #trailerBytes = 0;
  /** Whether the sink wants no more for now. */
  #stopped = false;
  readonly #maxChunkBytes: number;

  constructor(options: { maxChunkBytes: number }) {
    this.#maxChunkBytes = options.maxChunkBytes;
  }

  /** Whether the end of the body was seen. */
  get done(): boolean {
    return this.#phase === 'done';
  }

  /** Whether some of a chunk's bytes have come and some not. */
  get inChunk(): boolean {
    return this.#phase === 'data' || this.#phase === 'crlf';
  }

  /**
   * Reads from `at` on. Returns the position behind what was used: the end of the buffer, of the body, or of what the sink took last.
   * Returns -1 when it is not a chunked body, -2 when a chunk is larger than `maxChunkBytes`.
   */
  decode(buffer: Buffer, at: number, sink: ChunkedSink): number {
    let position = at;
    while (position < buffer.length && this.#phase !== 'done') {
      if (this.#phase === 'size' && this.#line === '') {
        const run = scanRun(buffer, position, this.#maxChunkBytes);
        if (run.last && run.size === 0) {
          this.#phase = 'done';
          return position + FINAL_BYTES;
        }
        if (run.size > 0) {
          const final = run.last ? keptSlice(buffer, position, run.end + FINAL_BYTES) : null;
          const framed = final === null ? keptSlice(buffer, position, run.end) : final.subarray(0, run.end - position);
          position = final === null ? run.end : run.end + FINAL_BYTES;
          if (run.last) this.#phase = 'done';
          if (!sink.chunk(Chunk.framed(framed, run.size, final), run.last)) return position;
          continue;
        }
      }
      const next = this.#step(buffer, position, sink);
      if (next < 0) return next;
      position = next;
      if (this.#stopped) {
        this.#stopped = false;
        return position;
      }
    }
    return position;
  }

  #step(buffer: Buffer, at: number, sink: ChunkedSink): number {
    if (this.#phase === 'size') return this.#size(buffer, at);
    if (this.#phase === 'data') return this.#data(buffer, at, sink);
    return this.#phase === 'crlf' ? this.#crlf(buffer, at) : this.#trailer(buffer, at);
  }

  /** A size line that is alone, comes in pieces, or has an extension. */
  #size(buffer: Buffer, at: number): number {
    const next = this.#readLine(buffer, at, MAX_SIZE_LINE_BYTES);
    if (next < 0 || this.#line.charCodeAt(this.#line.length - 1) !== LF) return next;
    const match = /^([0-9A-Fa-f]{1,8})[ \t]*(?:;[\t\x20-\x7e\x80-\xff]*)?\r\n$/.exec(this.#line);
    this.#line = '';
    if (match === null) return -1;
    this.#left = Number.parseInt(match[1], 16);
    if (this.#left > this.#maxChunkBytes) return -2;
    this.#phase = this.#left === 0 ? 'trailer' : 'data';
    return next;
  }

  #data(buffer: Buffer, at: number, sink: ChunkedSink): number {
    const end = Math.min(buffer.length, at + this.#left);
    this.#left -= end - at;
    const chunk = Chunk.of(keptSlice(buffer, at, end));
    if (this.#left > 0) {
      this.#stopped = !sink.part(chunk);
      return end;
    }
    this.#phase = 'crlf';
    this.#stopped = !sink.chunk(chunk, false);
    return end;
  }

  #crlf(buffer: Buffer, at: number): number {
    const next = this.#readLine(buffer, at, 2);
    if (next < 0 || this.#line.length < 2) return this.#line === '' || this.#line === '\r' ? next : -1;
    if (this.#line !== '\r\n') return -1;
    this.#line = '';
    this.#phase = 'size';
    return next;
  }

  #trailer(buffer: Buffer, at: number): number {
    const next = this.#readLine(buffer, at, MAX_TRAILER_BYTES);
    if (next < 0 || this.#line.charCodeAt(this.#line.length - 1) !== LF) return next;
    this.#trailerBytes += this.#line.length;
    if (!this.#line.endsWith('\r\n') || this.#trailerBytes > MAX_TRAILER_BYTES) return -1;
    if (this.#line === '\r\n') this.#phase = 'done';
    this.#line = '';
    return next;
  }

  /** Adds to the line up to its LF; -1 when it is longer than allowed. */
  #readLine(buffer: Buffer, at: number, maxBytes: number): number {
    const lf = buffer.indexOf(LF, at);
    const end = lf === -1 ? buffer.length : lf + 1;
    if (this.#line.length + (end - at) > maxBytes) return -1;
    this.#line += buffer.toString('latin1', at, end);
    return end;
  }
}

/** Bytes of `0 CRLF CRLF`. */
const FINAL_BYTES = 5;

const RUN = { end: 0, size: 0, last: false };

/**
 * The longest run of whole chunks without extensions from `at` on: where it ends, how many bytes of payload it holds, and whether the last
 * chunk, without trailers, follows. The result is one object that is used again: a read of a small segment makes no garbage here.
 */
function scanRun(buffer: Buffer, at: number, maxChunkBytes: number): typeof RUN {
  RUN.end = at;
  RUN.size = 0;
  RUN.last = false;
  const { length } = buffer;
  let position = at;
  while (position < length) {
    let size = 0;
    let digits = 0;
    for (; position < length && digits <= 8; position += 1, digits += 1) {
      const digit = hexDigit(buffer[position]);
      if (digit < 0) break;
      size = size * 16 + digit;
    }
    if (digits === 0 || digits > 8 || position + 1 >= length) return RUN;
    if (buffer[position] !== CR || buffer[position + 1] !== LF) return RUN;
    if (size === 0) {
      RUN.last = position + 3 < length && buffer[position + 2] === CR && buffer[position + 3] === LF && digits === 1;
      return RUN;
    }
    const end = position + 2 + size;
    if (size > maxChunkBytes || end + 1 >= length || buffer[end] !== CR || buffer[end + 1] !== LF) return RUN;
    position = end + 2;
    RUN.end = position;
    RUN.size += size;
  }
  return RUN;
}

/** Value of a hexadecimal digit in ASCII; -1 for anything else. */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** A part of a received buffer that may be kept: one that would pin much more memory than it has is copied. */
export function keptSlice(buffer: Buffer, start: number, end: number): Buffer {
  const part = buffer.subarray(start, end);
  const pinned = buffer.buffer.byteLength;
  if (pinned <= SMALL_BYTES || part.length * MAX_PINNED_RATIO >= pinned) return part;
  const copy = Buffer.allocUnsafeSlow(part.length);
  part.copy(copy);
  return copy;
}
