import type { Chunk } from './chunk.ts';
import type { AttachedReader, Segment, SegmentEnd } from './segment.ts';

/** What a reader asks of its channel. */
export interface ReaderHost {
  /** Bytes were handed to a reader. */
  handedOut(bytes: number): void;
  /** A reader has left. */
  readerLeft(reader: SegmentReader): void;
}

/** Who wants to know when there is more for a reader, or its end. */
export interface ReaderObserver {
  /** Must not throw; may close the reader. */
  segmentChanged(): void;
}

/** One reader's position in a segment. Pulls: what it does not take stays in the segment, which its channel's window bounds. */
export class SegmentReader implements AttachedReader {
  readonly segment: Segment;
  /** Next write of the channel when the reader came. */
  readonly latest: number;
  /** Bytes that the segment held when the reader came. */
  readonly heldBytes: number;
  /** Told of every change from now on; one at a time. */
  observer: ReaderObserver | null = null;
  readonly #host: ReaderHost;
  #position = 0;
  /** The latest chunk ended inside a frame, which only the next one of the same publisher can go on with. */
  #open = false;
  /** That publisher died, and what follows is another's. */
  #broken = false;
  #closed = false;

  /** For the channel alone. */
  constructor(segment: Segment, latest: number, host: ReaderHost) {
    this.segment = segment;
    this.latest = latest;
    this.heldBytes = segment.bytes;
    this.#host = host;
    segment.readersSeen += 1;
    segment.readers.add(this);
  }

  /** Whether there is something to tell: a byte, or the end. */
  get ready(): boolean {
    return this.segment.bytes > 0 || this.segment.end !== null;
  }

  /** The next chunk, shared with other readers. Null when there is none now; then look at `end`. */
  next(): Chunk | null {
    const chunk = this.segment.chunk(this.#position);
    if (chunk === undefined || this.#broken) return null;
    if (this.#open && chunk.lead === 0) {
      this.#broken = true;
      return null;
    }
    this.#open = chunk.open;
    this.#position += 1;
    this.#host.handedOut(chunk.size);
    return chunk;
  }

  /** Chunks that `next` would give now. */
  get available(): number {
    return Math.max(0, this.segment.length - this.#position);
  }

  /** How the segment ended for this reader; null while there is, or may come, more. */
  get end(): SegmentEnd | null {
    if (this.#broken) return 'cut';
    if (this.#position < this.segment.length) return null;
    // Who had taken everything of a segment that had ended has lost nothing when it leaves the window.
    return this.#position === this.segment.chunksSeen ? (this.segment.outcome ?? this.segment.end) : this.segment.end;
  }

  /** Leaves the segment. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.observer = null;
    this.segment.readers.delete(this);
    this.#host.readerLeft(this);
  }

  /** Whether it has been told how the segment ended, which is still in the window. */
  get finished(): boolean {
    const { end } = this;
    return end !== null && end !== 'evicted';
  }

  /** Whether the segment left the window before this reader had all of it: chunks that it has not taken, or that were still to come. */
  get lost(): boolean {
    const { outcome, chunksSeen } = this.segment;
    return chunksSeen > 0 && outcome !== null && (outcome === 'evicted' || this.#position < chunksSeen);
  }

  /** For the segment alone. */
  segmentChanged(): void {
    this.observer?.segmentChanged();
  }
}
