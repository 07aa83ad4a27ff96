import type { Channel, ChannelWriter, Chunk, WriterObserver } from '@runnel/trickle-core';
import type { RelayContext } from '../relay/context.ts';
import { publishAnswer } from '../relay/publish.ts';
import { errorAnswer, type ShortAnswer } from '../relay/short-answer.ts';
import { ChunkedDecoder, type ChunkedSink, keptSlice } from './chunked.ts';
import type { BodyLength } from './head.ts';

/** Who is told what becomes of a body. Each body ends with one call, of `bodyDone` or of `bodyRefused`, unless it is aborted. */
export interface BodyHost {
  /** It has come to its end. */
  bodyDone(answer: ShortAnswer): void;
  /** It is answered before its end. */
  bodyRefused(answer: ShortAnswer): void;
  /** It need not wait any more. */
  bodyTurn(): void;
}

/** The body of a POST on its way into a segment (Trickle spec, Publish). */
export class IncomingBody implements ChunkedSink, WriterObserver {
  readonly #relay: RelayContext;
  readonly #host: BodyHost;
  readonly #channel: Channel;
  readonly #writer: ChannelWriter;
  readonly #decoder: ChunkedDecoder | null;
  /** Bytes still to come of a body with a length. */
  #left: number;
  #over = false;

  constructor(relay: RelayContext, host: BodyHost, to: { channel: Channel; writer: ChannelWriter; length: BodyLength }) {
    this.#relay = relay;
    this.#host = host;
    this.#channel = to.channel;
    this.#writer = to.writer;
    this.#decoder = to.length === 'chunked' ? new ChunkedDecoder({ maxChunkBytes: relay.hub.limits.segmentBytes }) : null;
    this.#left = to.length === 'chunked' ? 0 : to.length;
    to.writer.observer = this;
  }

  /** Ends a body without bytes or whose writer was let go already, refuses one that says that it is too large. To be called once, at first. */
  start(): void {
    // A number so old that the window had no place for it.
    if (this.#writer.released !== null) return this.released();
    if (this.#decoder !== null) return;
    if (this.#left === 0) this.#done();
    else if (this.#left > this.#relay.hub.limits.segmentBytes) this.#tooLarge();
  }

  /** Whether a byte of it has reached the segment. */
  get begun(): boolean {
    return this.#writer.bytes > 0;
  }

  /** Whether another body is in the middle of a chunk of the same segment: nothing may be read until `bodyTurn`. */
  get mustWait(): boolean {
    return this.#writer.mustWait;
  }

  /** Reads from `at` on. Returns the position behind what was used. */
  read(data: Buffer, at: number): number {
    const decoder = this.#decoder;
    if (decoder === null) return this.#readPlain(data, at);
    const next = decoder.decode(data, at, this);
    if (this.#over) return next < 0 ? data.length : next;
    if (next === -1) {
      this.#relay.counters.malformed += 1;
      this.#refuse({ status: 400, body: 'Malformed chunked body' });
    } else if (next === -2) this.#tooLarge();
    else if (decoder.done) this.#done();
    return next < 0 ? data.length : next;
  }

  /** Gives it up: the client is gone or too slow. A segment with bytes of it is cut. Idempotent. */
  abort(): void {
    if (this.#over) return;
    this.#leave();
    this.#writer.abort();
  }

  chunk(chunk: Chunk, last: boolean): boolean {
    try {
      if (last) this.#writer.end(chunk);
      else this.#writer.write(chunk);
    } catch (error) {
      this.#failed(error);
    }
    return !this.#over && !this.#writer.mustWait;
  }

  part(chunk: Chunk): boolean {
    try {
      this.#writer.writePart(chunk);
    } catch (error) {
      this.#failed(error);
    }
    return !this.#over;
  }

  released(): void {
    this.#leave();
    this.#host.bodyRefused(publishAnswer(this.#channel, this.#writer, { complete: false }));
  }

  turn(): void {
    this.#host.bodyTurn();
  }

  #readPlain(data: Buffer, at: number): number {
    const end = Math.min(data.length, at + this.#left);
    this.#left -= end - at;
    try {
      this.#writer.write(keptSlice(data, at, end));
    } catch (error) {
      this.#failed(error);
    }
    if (!this.#over && this.#left === 0) this.#done();
    return end;
  }

  #done(): void {
    this.#leave();
    this.#host.bodyDone(publishAnswer(this.#channel, this.#writer, { complete: true }));
  }

  #failed(error: unknown): void {
    if (this.#over) return;
    this.#refuse(errorAnswer(error, this.#relay.counters, { close: true }));
  }

  #tooLarge(): void {
    this.#relay.counters.tooLarge += 1;
    this.#refuse({ status: 413, body: `A segment holds at most ${this.#relay.hub.limits.segmentBytes} bytes.` });
  }

  #refuse(answer: ShortAnswer): void {
    this.#leave();
    this.#writer.abort();
    this.#host.bodyRefused(answer);
  }

  #leave(): void {
    this.#over = true;
    this.#writer.observer = null;
  }
}
