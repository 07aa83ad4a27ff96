import type { Segment, SegmentEnd } from './segment.ts';

/** Segments that have left the window and are still told of. */
export const HISTORY_SEGMENTS = 64;

/** Events that are kept. */
export const HISTORY_EVENTS = 32;

/**
 * Something worth a look when a channel does not do what it should. `gap`: a read of what is not in the window; `cut`: a publisher died in
 * the middle; `skipped`: the next write moved past numbers without a byte; `takeover`: a waiting writer gave way; `closed`: one segment
 * was closed from outside; `refused`: a writer or its bytes; `overrun`: a segment left the window while it was written; `reader_lost`:
 * readers had not got all of a segment when it left.
 */
export type ChannelEventKind =
  | 'created'
  | 'gap'
  | 'cut'
  | 'skipped'
  | 'takeover'
  | 'reset'
  | 'closed'
  | 'refused'
  | 'overrun'
  | 'reader_lost'
  | 'draining'
  | 'ended';

/** One event; the same one again and again is told once, with how often and when last. */
export interface ChannelEvent {
  atMs: number;
  readonly kind: ChannelEventKind;
  /** Sequence number that it is about, or the next write then. */
  readonly seq: number;
  readonly detail: string;
  times: number;
}

/** What is kept of a segment that has left the window. */
export interface LeftSegment {
  readonly seq: number;
  readonly createdMs: number;
  readonly firstByteMs: number | null;
  readonly endMs: number;
  readonly bytes: number;
  readonly chunks: number;
  /** `evicted` when it left before its end. */
  readonly end: SegmentEnd;
  readonly readersSeen: number;
  readonly readersLost: number;
}

const ENDS: readonly SegmentEnd[] = ['closed', 'cut', 'evicted', 'missed'];
const FIELDS = 9;

/** The recent past of a channel, in rings of a fixed size: a long stream costs no more than a short one, and nothing to collect. */
export class ChannelHistory {
  /** Numbers alone and one block: this is on the path of every segment. Made when the first segment leaves. */
  #rows: Float64Array | null = null;
  #left = 0;
  readonly #events: ChannelEvent[] = [];
  #oldestEvent = 0;

  /** Keeps what is worth knowing of a segment that leaves the window. */
  keep(segment: Segment): void {
    const rows = (this.#rows ??= new Float64Array(HISTORY_SEGMENTS * FIELDS));
    const at = (this.#left % HISTORY_SEGMENTS) * FIELDS;
    this.#left += 1;
    rows[at] = segment.seq;
    rows[at + 1] = segment.createdMs;
    rows[at + 2] = segment.firstByteMs ?? Number.NaN;
    rows[at + 3] = segment.endMs ?? Number.NaN;
    rows[at + 4] = segment.bytes;
    rows[at + 5] = segment.chunksSeen;
    rows[at + 6] = ENDS.indexOf(segment.outcome ?? 'evicted');
    rows[at + 7] = segment.readersSeen;
    rows[at + 8] = segment.readersLost;
  }

  /** Notes an event. */
  note(atMs: number, kind: ChannelEventKind, seq: number, detail: string): void {
    const events = this.#events;
    const latest = events.at(this.#oldestEvent - 1);
    if (latest !== undefined && latest.kind === kind && latest.seq === seq && latest.detail === detail) {
      latest.times += 1;
      latest.atMs = atMs;
      return;
    }
    const event: ChannelEvent = { atMs, kind, seq, detail, times: 1 };
    if (events.length < HISTORY_EVENTS) {
      events.push(event);
      return;
    }
    events[this.#oldestEvent] = event;
    this.#oldestEvent = (this.#oldestEvent + 1) % HISTORY_EVENTS;
  }

  /** Events, oldest first. */
  get events(): readonly ChannelEvent[] {
    return [...this.#events.slice(this.#oldestEvent), ...this.#events.slice(0, this.#oldestEvent)];
  }

  /** The latest segments that left, by ascending sequence number. */
  get segments(): readonly LeftSegment[] {
    const rows = this.#rows;
    if (rows === null) return [];
    const first = Math.max(0, this.#left - HISTORY_SEGMENTS);
    return Array.from({ length: this.#left - first }, (_, index) => {
      const at = ((first + index) % HISTORY_SEGMENTS) * FIELDS;
      const [seq, createdMs, firstByteMs, endMs, bytes, chunks, end, readersSeen, readersLost] = rows.subarray(at, at + FIELDS);
      return {
        seq,
        createdMs,
        firstByteMs: Number.isNaN(firstByteMs) ? null : firstByteMs,
        endMs,
        bytes,
        chunks,
        end: ENDS[end],
        readersSeen,
        readersLost,
      };
    });
  }
}
