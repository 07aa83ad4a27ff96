import type { Chunk } from './chunk.ts';
import { Members } from './members.ts';

/**
 * Why a segment has ended: `closed` whole; `cut` because a publisher died in the middle; `evicted` because it left the window, and its
 * bytes with it; `missed` because it was lost on the way to this mirror of its channel before a byte of it came.
 */
export type SegmentEnd = 'closed' | 'cut' | 'evicted' | 'missed';

/** What a segment has to know of a writer that is attached to it. */
export interface AttachedWriter {
  /** Bytes that it has written. */
  readonly bytes: number;
  /** When another writer took its place before its first byte; null while it is in its own right. */
  supersededMs: number | null;
}

/** What a segment tells a reader that is attached to it. */
export interface AttachedReader {
  /** There are more chunks, or it has ended. Must not throw; may leave the segment. */
  segmentChanged(): void;
  /** Whether the segment left the window before it had all of it. */
  readonly lost: boolean;
}

/** The bytes of one sequence number: one list of chunks that all readers share, each by its own position. */
export class Segment<Writer extends AttachedWriter = AttachedWriter> {
  readonly seq: number;
  readonly createdMs: number;
  readonly writers = new Members<Writer>();
  readonly readers = new Members<AttachedReader>();
  /** Time of the first byte; null while there is none. */
  firstByteMs: number | null = null;
  /** Time of the end; null while open. */
  endMs: number | null = null;
  /** Bytes received so far; kept when the bytes themselves are gone. */
  bytes = 0;
  /** Memory that the chunks are counted with. */
  cost = 0;
  /** Readers that have come so far. */
  readersSeen = 0;
  /** Readers that have come to its end, and when the latest had. */
  finished = 0;
  finishedMs = Number.NEGATIVE_INFINITY;
  /** Subscribers whose latest request this was, as far as can be known: see `Followers`. */
  followers = 0;
  /** Requests that were given up in the middle and may be made again. */
  givenUp = 0;
  /** Readers that did not get all of it before it left the window. */
  readersLost = 0;
  /** Null while open. An append opens a closed segment again. */
  end: SegmentEnd | null = null;
  /** Once it has left the window: how it had ended until then, `evicted` when it was still written. Null before. */
  outcome: SegmentEnd | null = null;
  /** Whether a publisher died in the middle. Never undone: what follows cannot fill the hole. */
  damaged = false;
  /** The writer in the middle of a chunk: others wait for its end, so that bytes never mix inside one (Trickle spec, Publish). */
  turn: Writer | null = null;
  /** Whether its latest chunk ended inside a frame. */
  open = false;
  #chunks: Chunk[] = [];
  #length = 0;

  constructor(seq: number, nowMs: number) {
    this.seq = seq;
    this.createdMs = nowMs;
  }

  /** The chunk at a position, or undefined when it has not come yet or is gone. */
  chunk(index: number): Chunk | undefined {
    return this.#chunks[index];
  }

  /** Chunks held. */
  get length(): number {
    return this.#chunks.length;
  }

  /** Chunks received so far; kept when they are gone. */
  get chunksSeen(): number {
    return this.#length;
  }

  /** Adds a chunk, and opens the segment if it was closed. Tells nobody. */
  append(chunk: Chunk, nowMs: number): void {
    this.firstByteMs ??= nowMs;
    this.bytes += chunk.size;
    this.cost += chunk.cost;
    this.end = null;
    this.endMs = null;
    this.#length += 1;
    this.open = chunk.open;
    // The first one alone, as most segments have just one: an array that grows makes place for many.
    if (this.#chunks.length === 0) this.#chunks = [chunk];
    else this.#chunks.push(chunk);
  }

  /** Ends it for the readers who have read everything: cut if it was damaged, whole otherwise. Tells nobody. */
  close(nowMs: number): void {
    if (this.end !== null) return;
    this.end = this.damaged ? 'cut' : 'closed';
    this.endMs = nowMs;
  }

  /** A publisher died in the middle. Returns whether that makes a closed segment a cut one. Tells nobody. */
  damage(): boolean {
    this.damaged = true;
    if (this.end !== 'closed') return false;
    this.end = 'cut';
    return true;
  }

  /** It will not come: readers that wait for it are to learn of the gap. Tells nobody. */
  miss(nowMs: number): void {
    this.end = 'missed';
    this.endMs = nowMs;
  }

  /** Lets go of the bytes, and of whose turn it was: nobody may write any more. Tells nobody. */
  evict(nowMs: number): void {
    this.outcome = this.end === null || this.#isWritten() ? 'evicted' : this.end;
    this.endMs ??= nowMs;
    this.end = 'evicted';
    this.turn = null;
    for (const chunk of this.#chunks) chunk.release();
    this.#chunks = [];
  }

  /** Whether a writer is in the middle of it; it may be all the same on a segment that was closed from outside. */
  #isWritten(): boolean {
    if (this.writers.size === 0) return false;
    for (const writer of this.writers) if (writer.bytes > 0) return true;
    return false;
  }

  /** Tells every reader that something has changed. */
  notify(): void {
    const { only } = this.readers;
    if (only !== null) only.segmentChanged();
    else for (const reader of this.readers) reader.segmentChanged();
  }
}
