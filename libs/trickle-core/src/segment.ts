import { Listeners } from './listeners.ts';

/**
 * Why a segment has ended: `closed` whole; `cut` because a publisher died in the middle; `evicted` because it left the window, and its
 * bytes with it.
 */
export type SegmentEnd = 'closed' | 'cut' | 'evicted';

/** What a segment has to know of a writer that is attached to it. */
export interface AttachedWriter {
  /** Bytes that it has written. */
  readonly bytes: number;
  /** When another writer took its place before its first byte; null while it is in its own right. */
  supersededMs: number | null;
}

/** The bytes of one sequence number: one list of chunks that all readers share, each by its own position. */
export class Segment<Writer extends AttachedWriter = AttachedWriter> {
  readonly seq: number;
  readonly createdMs: number;
  readonly writers = new Set<Writer>();
  /** Time of the first byte; null while there is none. */
  firstByteMs: number | null = null;
  /** Bytes received so far; kept when the bytes themselves are gone. */
  bytes = 0;
  /** Null while open. An append opens a closed segment again. */
  end: SegmentEnd | null = null;
  /** Whether a publisher died in the middle. Never undone: what follows cannot fill the hole. */
  damaged = false;
  #chunks: readonly Uint8Array[] & Uint8Array[] = [];
  readonly #changes = new Listeners();

  constructor(seq: number, nowMs: number) {
    this.seq = seq;
    this.createdMs = nowMs;
  }

  /** The chunk at a position, or undefined when it has not come yet or is gone. */
  chunk(index: number): Uint8Array | undefined {
    return this.#chunks[index];
  }

  /** Chunks held. */
  get length(): number {
    return this.#chunks.length;
  }

  /** Adds bytes, which may not be changed afterwards, and opens the segment if it was closed. */
  append(bytes: Uint8Array, nowMs: number): void {
    this.firstByteMs ??= nowMs;
    this.bytes += bytes.byteLength;
    this.end = null;
    this.#chunks.push(bytes);
    this.#changes.notify();
  }

  /** Ends it for the readers who have read everything: cut if it was damaged, whole otherwise. */
  close(): void {
    if (this.end !== null) return;
    this.end = this.damaged ? 'cut' : 'closed';
    this.#changes.notify();
  }

  /** A publisher died in the middle: whoever reads it from now on is told, also where it was closed already. */
  damage(): void {
    this.damaged = true;
    if (this.end === 'closed') this.end = 'cut';
  }

  /** Lets go of the bytes. */
  evict(): void {
    this.end = 'evicted';
    this.#chunks = [];
    this.#changes.notify();
  }

  /** Calls the listener after each chunk and at the end. */
  onChange(listener: () => void): () => void {
    return this.#changes.add(listener);
  }
}
