import type { Channel, Chunk, Segment, SegmentReader } from '@runnel/trickle-core';
import type { RelayContext } from '../relay/context.ts';
import { HEADER } from '../headers.ts';
import { segmentHeaders } from '../relay/pump.ts';
import { type AnswerFraming, streamHeadText } from './answers.ts';
import { flat } from '../flat.ts';

/** Memory in which pieces are put together: head and the largest first chunk that is copied. */
const SCRATCH_BYTES = 48 * 1024;

/**
 * Builds what a subscriber gets first: the answer's head and the first chunk in one buffer. All who waited for a segment get the same
 * bytes, one right after the other, so the buffer made last serves them all: with 500 readers this saves 499 heads and copies.
 */
export class FirstPieces {
  readonly #relay: RelayContext;
  #chunk: Chunk | null = null;
  /** A chunk may stand in the segments of more than one channel. */
  #segment: Segment | null = null;
  #latest = 0;
  #last = false;
  #piece: Uint8Array | null = null;
  /** Where pieces are put together, one after the other; null while a write needs the last one. */
  #scratch: Buffer | null = null;
  /** What heads begin with at this date and for this MIME type. */
  #before = '';
  #date = '';
  #mimeType = '';

  constructor(relay: RelayContext) {
    this.#relay = relay;
  }

  /** Head and chunk for a reader of HTTP/1.1. Not to be changed. */
  get(channel: Channel, reader: SegmentReader, chunk: Chunk, options: { last: boolean; framing: AnswerFraming }): Uint8Array {
    const { last, framing } = options;
    // Only those who waited get the same head: others are told what was there before them.
    const shared = reader.heldBytes === 0 && framing.keepAlive;
    if (shared && this.#chunk === chunk && this.#segment === reader.segment && this.#latest === reader.latest && this.#last === last) {
      return this.#piece!;
    }
    // The piece made last lies in the memory that this one is made in.
    if (!shared) this.clear();
    const head = reader.heldBytes === 0 ? this.#waitedHead(channel, reader, framing) : this.#head(channel, reader, framing);
    const frames = last && chunk.hasFinal ? chunk.framedFinal : chunk.framed;
    const tail = last && !chunk.hasFinal ? '0\r\n\r\n' : '';
    const length = head.length + frames.byteLength + tail.length;
    const scratch = length > SCRATCH_BYTES ? Buffer.allocUnsafeSlow(length) : (this.#scratch ??= Buffer.allocUnsafeSlow(SCRATCH_BYTES));
    const piece = scratch.subarray(0, length);
    piece.write(head, 0, 'latin1');
    piece.set(frames, head.length);
    if (tail !== '') piece.write(tail, head.length + frames.byteLength, 'latin1');
    if (shared) {
      this.#chunk = chunk;
      this.#segment = reader.segment;
      this.#latest = reader.latest;
      this.#last = last;
      this.#piece = piece;
    }
    return piece;
  }

  #head(channel: Channel, reader: SegmentReader, framing: AnswerFraming): string {
    return streamHeadText(segmentHeaders(this.#relay, channel, reader), framing);
  }

  /** As `#head`, for one who has waited: nearly all of the text is that of the head before. */
  #waitedHead(channel: Channel, reader: SegmentReader, framing: AnswerFraming): string {
    const { segment, latest } = reader;
    if (!framing.keepAlive || segment.seq !== latest) return this.#head(channel, reader, framing);
    if (framing.date !== this.#date || channel.mimeType !== this.#mimeType) {
      this.#date = framing.date;
      this.#mimeType = channel.mimeType;
      this.#before = flat(streamHeadText([['Content-Type', channel.mimeType]], framing).slice(0, -2));
    }
    return `${this.#before}${HEADER.seq}: ${segment.seq}\r\n${HEADER.size}: ${segment.bytes}\r\n\r\n`;
  }

  /** The socket has not sent all of the last piece yet: its memory may not be used again. */
  keep(): void {
    this.#scratch = null;
  }

  /** Lets go of what was made last, so that an idle relay holds no segment through it. */
  clear(): void {
    this.#chunk = null;
    this.#segment = null;
    this.#piece = null;
  }
}
