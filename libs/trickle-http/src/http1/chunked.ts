import { Chunk } from '@runnel/trickle-core';
import { type ChunkRun, FINAL_BYTES, scanRun } from './chunk-run.ts';

/** Longest chunk-size line: eight digits and an extension that nobody needs (RFC 9112, 7.1.1). */
const MAX_SIZE_LINE_BYTES = 256;

/** Longest trailer section, which is read over. */
const MAX_TRAILER_BYTES = 8192;

const CRLF = '\r\n';

/** A piece that would keep more than this many times its size of received memory is copied out of it. */
const MAX_PINNED_RATIO = 4;

/** Buffers that are not worth a copy. */
const SMALL_BYTES = 4096;

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
 * Decodes a chunked body (RFC 9112, 7.1) from pieces as they are received. Whatever can be is handed on as one slice of the received
 * buffer, framing and all, also where a chunk is cut, because sending is what costs: one slice is one write to each reader, and nothing is copied. Only
 * chunks with extensions, or whose size line or end is cut, are framed anew.
 */
export class ChunkedDecoder {
  #phase: Phase = 'size';
  /** Bytes of the chunk still to come. */
  #left = 0;
  /** The chunk's size line was handed on as it came, so the rest of it has to be as well. */
  #passing = false;
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
      if (this.#passing || (this.#phase === 'size' && this.#line === '')) {
        const lead = this.#passing ? this.#left : 0;
        const run = scanRun(buffer, position, { lead, maxChunkBytes: this.#maxChunkBytes });
        if (run.last && run.size === 0) {
          this.#phase = 'done';
          return position + FINAL_BYTES;
        }
        if (run.size > 0) {
          const from = position;
          position = run.last ? run.end + FINAL_BYTES : run.end;
          if (!this.#pass(buffer, from, { run, lead }, sink)) return position;
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

  /** Hands on a run as it came. Returns whether the sink wants more. */
  #pass(buffer: Buffer, from: number, what: { run: ChunkRun; lead: number }, sink: ChunkedSink): boolean {
    const { end, size, left, crlf, last } = what.run;
    const { lead } = what;
    const open = left > 0;
    this.#passing = open;
    this.#left = left;
    this.#phase = last ? 'done' : open ? 'data' : 'size';
    if (last) {
      const final = keptSlice(buffer, from, end + FINAL_BYTES);
      return sink.chunk(Chunk.ended(final, size, { lead }), true);
    }
    if (crlf < 2) {
      // The end that must follow is made here, and read over when it comes.
      this.#phase = 'crlf';
      this.#line = CRLF.slice(0, crlf);
      const framed = Buffer.allocUnsafeSlow(end - from + 2 - crlf);
      buffer.copy(framed, 0, from, end);
      framed.write(CRLF.slice(crlf), end - from, 'latin1');
      return sink.chunk(Chunk.framed(framed, size, { lead }), false);
    }
    const framed = keptSlice(buffer, from, end);
    return open ? sink.part(Chunk.cut(framed, size, { lead, open })) : sink.chunk(Chunk.framed(framed, size, { lead }), false);
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

/** A part of a received buffer that may be kept: one that would pin much more memory than it has is copied. */
export function keptSlice(buffer: Buffer, start: number, end: number): Buffer {
  const part = buffer.subarray(start, end);
  const pinned = buffer.buffer.byteLength;
  if (pinned <= SMALL_BYTES || part.length * MAX_PINNED_RATIO >= pinned) return part;
  const copy = Buffer.allocUnsafeSlow(part.length);
  part.copy(copy);
  return copy;
}
