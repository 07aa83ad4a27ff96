/**
 * How the rest of the project reads and writes a channel, whatever carries it: the in-process adapter of this library or the
 * HTTP clients of `@runnel/trickle-http`. Both pass one conformance suite.
 */

/** A segment being read. Bytes arrive while it is still being written. */
export interface ReadSegment {
  readonly kind: 'segment';
  /** Sequence number, from 0. */
  readonly seq: number;
  /**
   * The bytes as they arrive, in pieces of any size; ends when the segment is closed. Read once.
   * Throws RunnelError `segment_cut` when the publisher died in the middle: what was read is not the whole.
   */
  readonly bytes: AsyncIterable<Uint8Array>;
}

/** Segments that this reader can no longer get. */
export interface Gap {
  readonly kind: 'gap';
  /** First sequence number missed. */
  readonly from: number;
  /** First sequence number that can be read again (exclusive end of the gap). */
  readonly to: number;
  /** Why: the window moved on, or the connection was lost. */
  readonly reason: 'window' | 'connection';
}

/**
 * What a subscriber does about a gap. `jump`: tells it once and goes on where the channel can be read again. `fail`: `next` rejects
 * with RunnelError `stream_gap`, now and ever after, with `from`, `to` and `reason` in its details.
 */
export type OnGap = 'jump' | 'fail';

/** Reads the segments of one channel in order. Not for concurrent calls of `next`. */
export interface Subscriber {
  /**
   * The next segment as soon as its first byte is there (or it was closed empty), a gap, or null when the channel has ended.
   * @throws RunnelError `channel_not_found`, `edge_unreachable`, `stream_gap` where gaps are to fail; the signal's reason once it aborts.
   */
  next(signal?: AbortSignal): Promise<ReadSegment | Gap | null>;
  /** Gives up all connections. Idempotent; a pending `next` resolves to null. */
  close(): Promise<void>;
}

/** One open segment of a publisher. */
export interface SegmentWriter {
  /** Sequence number, from 0. */
  readonly seq: number;
  /** Sends bytes on; resolves when more may be written (backpressure). The buffer may not be changed afterwards. */
  write(bytes: Uint8Array): Promise<void>;
  /** Closes the segment whole; resolves when the relay has acknowledged it. */
  end(): Promise<void>;
  /** Cuts the segment: readers are told that it is not whole. Without a byte there is nothing to cut: it ends empty, and its number is used up. */
  abort(): Promise<void>;
}

/** Writes the segments of one channel in order. */
export interface Publisher {
  /**
   * Opens the next segment. One segment is open at a time: the one before must have been ended or aborted.
   * @throws RunnelError `channel_not_found`, `channel_closed`, `edge_unreachable`.
   */
  open(): Promise<SegmentWriter>;
  /** Waits for what is in flight (bounded), then gives up all connections; `endChannel` also ends the channel. Idempotent. */
  close(options?: { endChannel?: boolean }): Promise<void>;
}
