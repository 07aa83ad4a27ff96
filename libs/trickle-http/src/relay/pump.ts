import type { Channel, Chunk, SegmentReader } from '@runnel/trickle-core';
import { HEADER, SEGMENT_GONE_STATUS, TERMINATED } from '../headers.ts';
import type { RelayContext } from './context.ts';
import type { ShortAnswer } from './short-answer.ts';

/** Where the answer to one GET of a segment goes: a connection or a stream of HTTP/2. */
export interface SegmentSink {
  /** No more is taken now; whoever unblocks it calls `pump` again. */
  readonly blocked: boolean;
  /** Whether `begin` was called. */
  readonly begun: boolean;
  /** 200 with bytes. Goes out with the first chunk, or with the end. */
  begin(channel: Channel, reader: SegmentReader): void;
  /** A piece of the body; `last`: the body ends with it and `end` is not called. */
  write(chunk: Chunk, last: boolean): void;
  /** The body is whole. */
  end(): void;
  /** The body is not whole and no client may take it for that. `flush`: what was written goes out first. */
  reset(options: { flush: boolean }): void;
  /** Holds writes back until `uncork`, so that they leave together. */
  cork(): void;
  uncork(): void;
  /** In place of everything above. */
  answer(answer: ShortAnswer): void;
}

/**
 * Moves to a sink what its reader has now, and the end if it has come; at the reader's own pace: what the sink does not take stays in the
 * segment (Trickle spec, Subscribe). To be called at first, on every change of the segment, and when the sink is unblocked.
 * Returns whether the answer is over; the reader is closed then.
 */
export function pump(channel: Channel, reader: SegmentReader, sink: SegmentSink): boolean {
  if (!reader.ready) return false;
  if (reader.end === 'evicted') return evicted(channel, reader, sink);
  // One who is behind gets all in one call of the kernel.
  const many = reader.available > 1;
  if (many) sink.cork();
  const over = moveChunks(channel, reader, sink);
  if (many) sink.uncork();
  if (over) return true;
  const { end } = reader;
  if (end === null) return false;
  if (end === 'cut' && !sink.begun) sink.begin(channel, reader);
  reader.close();
  if (end === 'cut') sink.reset({ flush: true });
  else if (end === 'missed') sink.answer(goneAnswer(channel.nextWrite, reader.segment.seq));
  else if (reader.segment.bytes > 0) sink.end();
  else sink.answer(emptyAnswer(channel, reader));
  return true;
}

/** Returns whether the last chunk of a whole segment has gone. */
function moveChunks(channel: Channel, reader: SegmentReader, sink: SegmentSink): boolean {
  while (!sink.blocked) {
    const chunk = reader.next();
    if (chunk === null) return false;
    if (!sink.begun) sink.begin(channel, reader);
    const last = reader.end === 'closed';
    if (last) reader.close();
    sink.write(chunk, last);
    if (last) return true;
  }
  return false;
}

function evicted(channel: Channel, reader: SegmentReader, sink: SegmentSink): boolean {
  reader.close();
  // Bytes are lost to this reader: it must not take what it has for the whole. Without any, it has missed nothing.
  if (reader.segment.bytes > 0) sink.reset({ flush: false });
  else sink.answer(emptyAnswer(channel, reader));
  return true;
}

function emptyAnswer(channel: Channel, reader: SegmentReader): ShortAnswer {
  const headers: Record<string, string | number> = { [HEADER.seq]: reader.segment.seq, [HEADER.latest]: channel.nextWrite };
  if (channel.ended) headers[HEADER.closed] = TERMINATED;
  return { status: 200, body: '', headers };
}

/** 470: the segment is not in the window (Trickle spec, Subscribe). */
export function goneAnswer(latest: number, seq: number): ShortAnswer {
  return { status: SEGMENT_GONE_STATUS, body: 'Segment not in the window', headers: { [HEADER.latest]: latest, [HEADER.seq]: seq } };
}

/** Headers of a 200 with bytes as `name, value` pairs (Trickle spec, Subscribe). */
export function segmentHeaders(relay: RelayContext, channel: Channel, reader: SegmentReader): [name: string, value: string | number][] {
  const { segment, latest, heldBytes } = reader;
  const headers: [string, string | number][] = [
    [HEADER.seq, segment.seq],
    [HEADER.size, heldBytes === 0 ? segment.bytes : heldBytes],
    ['Content-Type', channel.mimeType],
  ];
  // Both as they were when the GET came: the reader has kept them.
  if (segment.seq !== latest) headers.push([HEADER.latest, latest]);
  if (heldBytes > 0) headers.push([HEADER.age, Math.max(0, Math.round(relay.hub.clock() - (segment.firstByteMs ?? segment.createdMs)))]);
  return headers;
}
