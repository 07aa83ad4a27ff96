import { Listeners } from './listeners.ts';
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
  writeTo(writer: ChannelWriter, bytes: Uint8Array): void;
  endOf(writer: ChannelWriter): WriteResult;
  abortOf(writer: ChannelWriter): void;
}

/** One publisher's hold on one segment, from its request to its end. */
export class ChannelWriter implements AttachedWriter {
  /** Null while "at the next write" has not been decided: that is at the first byte, so that waiting writers never share a segment. */
  segment: Segment<ChannelWriter> | null;
  bytes = 0;
  supersededMs: number | null = null;
  /** Set once the channel has let it go; then only `end` says more. */
  released: Release | null = null;
  #done: WriteResult | null = null;
  readonly #host: WriterHost;
  readonly #releases = new Listeners<[Release]>();

  constructor(host: WriterHost, segment: Segment<ChannelWriter> | null) {
    this.#host = host;
    this.segment = segment;
  }

  /** Sequence number; null while undecided. */
  get seq(): number | null {
    return this.segment?.seq ?? null;
  }

  /**
   * Adds bytes, which may not be changed afterwards; all readers see them before this returns.
   * @throws RunnelError `payload_too_large` (the segment is cut then), `segment_gone`, `channel_closed`.
   */
  write(bytes: Uint8Array): void {
    if (bytes.byteLength > 0) this.#host.writeTo(this, bytes);
  }

  /** The body is complete. Idempotent: the first answer stays. */
  end(): WriteResult {
    this.#done ??= this.#host.endOf(this);
    return this.#done;
  }

  /** The publisher died: a segment with bytes of it is cut, an empty one stays open for the next try. Idempotent. */
  abort(): void {
    if (this.#done !== null) return;
    this.#host.abortOf(this);
    this.#done = { seq: this.seq ?? -1, bytes: this.bytes, channelEnded: this.released === 'channel_ended' };
  }

  /** Calls the listener once, when the channel lets this writer go. */
  onRelease(listener: (why: Release) => void): void {
    this.#releases.add(listener);
  }

  /** For the channel alone. */
  release(why: Release): void {
    if (this.released !== null || this.#done !== null) return;
    this.released = why;
    this.#releases.notify(why);
  }
}
