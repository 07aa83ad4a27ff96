import type { ServerHttp2Stream } from 'node:http2';
import type { Channel, ChannelWriter, WriterObserver } from '@runnel/trickle-core';
import type { RelayContext } from '../relay/context.ts';
import { publishAnswer } from '../relay/publish.ts';
import { errorAnswer, type ShortAnswer } from '../relay/short-answer.ts';
import { Answered, answer } from './answer.ts';
import type { Exchange } from './exchange.ts';

/** A POST of a segment: moves the body into the segment as it comes (Trickle spec, Publish). */
export class PublishStream implements Exchange, WriterObserver {
  readonly #relay: RelayContext;
  readonly #stream: ServerHttp2Stream;
  readonly #channel: Channel;
  readonly #writer: ChannelWriter;
  /** When the request came or its latest byte did. */
  #heardMs: number;
  /** When the latest interim answer went out. */
  #continuedMs: number;
  /** Set when the answer is out, or the stream is gone. */
  #done: Exchange | null = null;

  constructor(relay: RelayContext, stream: ServerHttp2Stream, target: { channel: Channel; writer: ChannelWriter }) {
    this.#relay = relay;
    this.#stream = stream;
    this.#channel = target.channel;
    this.#writer = target.writer;
    this.#heardMs = relay.hub.clock();
    this.#continuedMs = this.#heardMs;
    this.#writer.observer = this;
    stream.on('data', (bytes: Buffer) => this.#receive(bytes));
    stream.on('end', () => {
      // Node ends the body also when the stream was reset, whatever the code: only END_STREAM makes it whole.
      if (stream.closed) this.gone();
      else this.#finish({ complete: true });
    });
    if (this.#writer.mustWait) stream.pause();
  }

  released(): void {
    this.#finish({ complete: this.#stream.readableEnded });
  }

  turn(): void {
    this.#stream.resume();
  }

  tick(nowMs: number): void {
    if (this.#done !== null) return this.#done.tick(nowMs);
    const { bounds, counters, continueIntervalMs } = this.#relay;
    const waits = this.#writer.bytes === 0;
    // A body that must wait for another writer's is not late by itself.
    if (!this.#stream.isPaused() && nowMs - this.#heardMs > (waits ? bounds.firstByteMs : bounds.interByteMs)) {
      counters.bodyTimeouts += 1;
      this.#writer.abort();
      this.#answer({ status: 408, body: 'The body took too long' });
    } else if (waits && nowMs - this.#continuedMs >= continueIntervalMs) {
      this.#continuedMs = nowMs;
      this.#stream.additionalHeaders({ ':status': 100 });
    }
  }

  gone(): void {
    this.#writer.abort();
  }

  #receive(bytes: Buffer): void {
    // After the answer, what still comes has no place.
    if (this.#done !== null || bytes.byteLength === 0) return;
    this.#heardMs = this.#relay.hub.clock();
    try {
      this.#writer.write(unpinned(bytes));
      if (this.#writer.mustWait) this.#stream.pause();
    } catch (error) {
      this.#writer.abort();
      this.#answer(errorAnswer(error, this.#relay.counters, { close: true }));
    }
  }

  #finish(options: { complete: boolean }): void {
    if (this.#done === null) this.#answer(publishAnswer(this.#channel, this.#writer, options));
  }

  #answer(short: ShortAnswer): void {
    this.#done = new Answered(this.#relay, this.#stream);
    answer(this.#stream, short);
  }
}

/** A received piece is a part of what was read from the connection at once: a small one must not keep all of that in memory. */
function unpinned(bytes: Buffer): Buffer {
  return bytes.byteLength * MAX_PINNED_RATIO < bytes.buffer.byteLength ? Buffer.from(bytes) : bytes;
}

/** Of memory kept to memory used. */
const MAX_PINNED_RATIO = 4;
