import type { HubCounters } from './counters.ts';
import type { Segment, SegmentEnd } from './segment.ts';

/** One reader's position in a segment. Pulls: what it does not take stays in the segment, which its channel's window bounds. */
export class SegmentReader {
  readonly segment: Segment;
  /** Next write of the channel when the reader came. */
  readonly latest: number;
  /** Bytes that the segment held when the reader came. */
  readonly heldBytes: number;
  readonly #counters: Pick<HubCounters, 'bytesOut' | 'readersLost'>[];
  readonly #onClose: () => void;
  #position = 0;
  #closed = false;

  constructor(segment: Segment, latest: number, counters: Pick<HubCounters, 'bytesOut' | 'readersLost'>[], onClose: () => void) {
    this.segment = segment;
    this.latest = latest;
    this.heldBytes = segment.bytes;
    this.#counters = counters;
    this.#onClose = onClose;
  }

  /** Whether there is something to tell: a byte, or the end. */
  get ready(): boolean {
    return this.segment.bytes > 0 || this.segment.end !== null;
  }

  /** The next chunk, shared with other readers: not to be changed. Null when there is none now; then look at `end`. */
  next(): Uint8Array | null {
    const chunk = this.segment.chunk(this.#position);
    if (chunk === undefined) return null;
    this.#position += 1;
    for (const counters of this.#counters) counters.bytesOut += chunk.byteLength;
    return chunk;
  }

  /** How the segment ended for this reader; null while there is, or may come, more. */
  get end(): SegmentEnd | null {
    return this.#position < this.segment.length ? null : this.segment.end;
  }

  /** Calls the listener when there is more, or the end. */
  onChange(listener: () => void): () => void {
    return this.segment.onChange(listener);
  }

  /** Leaves the segment. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.segment.end === 'evicted' && this.segment.bytes > 0) {
      for (const counters of this.#counters) counters.readersLost += 1;
    }
    this.#onClose();
  }
}
