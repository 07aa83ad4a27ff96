import type { Channel } from './channel.ts';
import type { ChannelEventKind, LeftSegment } from './history.ts';
import type { Segment, SegmentEnd } from './segment.ts';

/** One segment of a channel's recent past. */
export interface TimelineSegment {
  seq: number;
  /** When the first publisher or subscriber asked for it, ISO 8601. */
  openedAt: string;
  /** From then to the first byte; null without one. */
  firstByteMs: number | null;
  /** From the first byte to the end; null while open, and without a byte. */
  durationMs: number | null;
  bytes: number;
  chunks: number;
  /** How it ended, also where it has left the window since; `evicted` when it left before its end. */
  end: 'open' | SegmentEnd;
  /** Whether it can still be read. */
  held: boolean;
  /** Readers attached now. */
  readers: number;
  /** Readers that have come. */
  readersSeen: number;
  /** Readers that did not get all of it before it left the window. */
  readersLost: number;
}

/** Something notable that happened to a channel. */
export interface TimelineEvent {
  /** When it happened last, ISO 8601. */
  at: string;
  kind: ChannelEventKind;
  /** Sequence number that it is about, or the next write then. */
  seq: number;
  detail: string;
  /** How often in a row. */
  times: number;
}

/** The recent past of a channel, for a person who wants to know what went wrong (Trickle spec, Timeline). Fit for JSON. */
export interface ChannelTimeline {
  channel: string;
  /** ISO 8601, by the relay's clock, as all times here. */
  now: string;
  nextWrite: number;
  /** Lowest sequence number that can be read. */
  oldest: number;
  /** Ascending: up to 64 that have left the window, then those in it, those included that wait for their first byte. */
  segments: TimelineSegment[];
  /** Up to 32, oldest first. */
  events: TimelineEvent[];
}

/** A snapshot of a channel's recent past. */
export function channelTimeline(channel: Channel): ChannelTimeline {
  return {
    channel: channel.name,
    now: iso(channel.nowMs),
    nextWrite: channel.nextWrite,
    oldest: channel.oldest,
    segments: [...channel.history.segments.map(leftSegment), ...channel.segments.map(heldSegment)],
    events: channel.history.events.map(({ atMs, kind, seq, detail, times }) => ({ at: iso(atMs), kind, seq, detail, times })),
  };
}

function leftSegment(left: LeftSegment): TimelineSegment {
  return { ...times(left), end: left.end, held: false, readers: 0 };
}

function heldSegment(segment: Segment): TimelineSegment {
  const { seq, createdMs, firstByteMs, endMs, bytes, chunksSeen: chunks, readersSeen, readersLost } = segment;
  return {
    ...times({ seq, createdMs, firstByteMs, endMs, bytes, chunks, readersSeen, readersLost }),
    end: segment.end ?? 'open',
    held: true,
    readers: segment.readers.size,
  };
}

function times(of: Omit<LeftSegment, 'end' | 'endMs'> & { endMs: number | null }): Omit<TimelineSegment, 'end' | 'held' | 'readers'> {
  const { seq, createdMs, firstByteMs, endMs, bytes, chunks, readersSeen, readersLost } = of;
  return {
    seq,
    openedAt: iso(createdMs),
    firstByteMs: firstByteMs === null ? null : firstByteMs - createdMs,
    durationMs: firstByteMs === null || endMs === null ? null : endMs - firstByteMs,
    bytes,
    chunks,
    readersSeen,
    readersLost,
  };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
