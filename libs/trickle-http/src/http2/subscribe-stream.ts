import { constants, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { Channel, Chunk, ReaderObserver, SegmentReader } from '@runnel/trickle-core';
import type { RelayContext } from '../relay/context.ts';
import { pump, segmentHeaders, type SegmentSink } from '../relay/pump.ts';
import type { ShortAnswer } from '../relay/short-answer.ts';
import { answer } from './answer.ts';
import type { Exchange } from './exchange.ts';

/**
 * A GET of a segment: sends the segment at the reader's own pace (Trickle spec, Subscribe).
 *
 * The answer waits for "trailers" at its end, because that is the only way by which Node leaves END_STREAM to us: `close` and `destroy` with an
 * error code end the body first, so that a client sees a whole answer and then a reset that comes too late. Here END_STREAM goes out where the segment is whole,
 * and nowhere else.
 */
export class SubscribeStream implements Exchange, ReaderObserver, SegmentSink {
  blocked = false;
  begun = false;
  readonly #relay: RelayContext;
  readonly #stream: ServerHttp2Stream;
  readonly #channel: Channel;
  readonly #reader: SegmentReader;
  readonly #cameMs: number;
  /** When bytes last left, or began to wait. */
  #movedMs = 0;
  readonly #moved = () => {
    this.#movedMs = this.#relay.hub.clock();
  };
  #whole = false;
  #done = false;

  constructor(relay: RelayContext, stream: ServerHttp2Stream, target: { channel: Channel; reader: SegmentReader }) {
    this.#relay = relay;
    this.#stream = stream;
    this.#channel = target.channel;
    this.#reader = target.reader;
    this.#cameMs = relay.hub.clock();
    this.#reader.observer = this;
    stream.on('drain', () => {
      this.blocked = false;
      this.segmentChanged();
    });
    stream.on('wantTrailers', () => {
      if (!this.#whole) return stream.close(constants.NGHTTP2_INTERNAL_ERROR);
      stream.sendTrailers({});
      // A GET has no body that matters: whoever keeps one open would keep the stream.
      if (!stream.endAfterHeaders) stream.close(constants.NGHTTP2_NO_ERROR);
    });
    stream.resume();
    this.segmentChanged();
  }

  segmentChanged(): void {
    if (this.#done) return;
    if (pump(this.#channel, this.#reader, this)) this.#done = true;
  }

  cork(): void {
    this.#stream.cork();
  }

  uncork(): void {
    this.#stream.uncork();
  }

  begin(channel: Channel, reader: SegmentReader): void {
    this.begun = true;
    const headers: OutgoingHttpHeaders = { ':status': 200 };
    for (const [name, value] of segmentHeaders(this.#relay, channel, reader)) headers[name.toLowerCase()] = value;
    this.#stream.respond(headers, { waitForTrailers: true });
    const { clock } = this.#relay.hub;
    this.#relay.onFirstByte?.(Math.max(0, clock() - Math.max(this.#cameMs, reader.segment.firstByteMs ?? 0)));
  }

  write(chunk: Chunk, last: boolean): void {
    if (this.#stream.writableLength === 0) this.#moved();
    const { payloads } = chunk;
    if (payloads.length > 1) this.#stream.cork();
    for (const payload of payloads) this.#stream.write(payload, this.#moved);
    if (payloads.length > 1) this.#stream.uncork();
    this.blocked = this.#stream.writableNeedDrain;
    if (last) this.end();
  }

  end(): void {
    this.#whole = true;
    this.#stream.end();
  }

  reset({ flush }: { flush: boolean }): void {
    if (flush) this.#stream.end();
    else this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  }

  answer(short: ShortAnswer): void {
    answer(this.#stream, short);
  }

  tick(nowMs: number): void {
    // Also when all is written: what the client does not take stays in the stream until it does or is gone.
    if (this.#stream.writableLength === 0 || nowMs - this.#movedMs <= this.#relay.bounds.stallMs) return;
    this.#relay.counters.stalled += 1;
    this.gone();
    this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  }

  gone(): void {
    this.#done = true;
    this.#reader.close();
  }
}
