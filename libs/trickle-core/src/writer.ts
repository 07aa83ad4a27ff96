import { Chunk } from './chunk.ts';
import type { AttachedWriter, Segment } from './segment.ts';

/**
 * Why a writer was let go before it ended by itself: another one took over its place, its segment was closed or left the window, or
 * the channel has ended.
 */
export type Release = 'takeover' | 'segment_closed' | 'evicted' | 'channel_ended';

/** What became of a writer's segment. */
export interface WriteResult {
  readonly seq: number;
  /** Bytes of this writer; others may have written to the same segment. */
  readonly bytes: number;
  readonly channelEnded: boolean;
}

/** What a writer asks of its channel. */
export interface WriterHost {
  writeTo(writer: ChannelWriter, chunk: Chunk, part: 'whole' | 'part'): void;
  endOf(writer: ChannelWriter, last: Chunk | null): WriteResult;
  abortOf(writer: ChannelWriter): void;
}

/** Who wants to know what becomes of a writer. Must not throw. */
export interface WriterObserver {
  /** The channel has let it go, once. */
  released(why: Release): void;
  /** It need not wait for another writer's chunk any more. */
  turn(): void;
}

/** One publisher's hold on one segment, from its request to its end. */
export class ChannelWriter implements AttachedWriter {
  /** Null while "at the next write" has not been decided: that is at the first byte, so that waiting writers never share a segment. */
  segment: Segment<ChannelWriter> | null;
  bytes = 0;
  supersededMs: number | null = null;
  /** Set once the channel has let it go; then only `end` says more. */
  released: Release | null = null;
  /** Told of what happens from now on; one at a time. */
  observer: WriterObserver | null = null;
  readonly #host: WriterHost;
  #done: WriteResult | null = null;

  /** For the channel alone. */
  constructor(host: WriterHost, segment: Segment<ChannelWriter> | null) {
    this.#host = host;
    this.segment = segment;
  }

  /** Sequence number; null while undecided. */
  get seq(): number | null {
    return this.segment?.seq ?? null;
  }

  /** Whether another writer of the segment is in the middle of a chunk: whoever writes now would mix bytes into it. */
  get mustWait(): boolean {
    const turn = this.segment?.turn ?? null;
    return turn !== null && turn !== this;
  }

  /**
   * Adds bytes, which may not be changed afterwards; all readers see them before this returns.
   * @throws RunnelError `payload_too_large` (the segment is cut then), `storage_full` (likewise), `segment_gone`, `channel_closed`.
   */
  write(bytes: Uint8Array | Chunk): void {
    const chunk = bytes instanceof Chunk ? bytes : Chunk.of(bytes);
    if (chunk.size > 0) this.#host.writeTo(this, chunk, 'whole');
  }

  /** As `write`, of a piece that is not the end of its publisher's chunk: until the next `write` nobody else should add to the segment. */
  writePart(chunk: Chunk): void {
    this.#host.writeTo(this, chunk, 'part');
  }

  /** The body is complete, with a last chunk or without. Idempotent: the first answer stays. @throws as `write`, when there is a last chunk. */
  end(last: Chunk | null = null): WriteResult {
    this.#done ??= this.#host.endOf(this, last);
    return this.#done;
  }

  /** The publisher died: a segment with bytes of it is cut, an empty one stays open for the next try. Idempotent. */
  abort(): void {
    if (this.#done !== null) return;
    this.#host.abortOf(this);
    this.#done = { seq: this.seq ?? -1, bytes: this.bytes, channelEnded: this.released === 'channel_ended' };
  }

  /** For the channel alone. */
  release(why: Release): void {
    if (this.released !== null || this.#done !== null) return;
    this.released = why;
    this.observer?.released(why);
  }
}
