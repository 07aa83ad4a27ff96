import { printable } from '../cli/fields.ts';
import type { Timeline } from './timeline.ts';

type Segment = Timeline['segments'][number];

/** Segments that are shown at most: the newest. */
export const SHOWN_SEGMENTS = 24;
const COLUMNS = ['seq', 'age', 'first byte', 'took', 'bytes', 'chunks', 'readers', 'end'] as const;

/**
 * A channel's recent past for a person: a table of its newest segments, oldest first, what went wrong beside each, and the events.
 * `age` and `first byte` count from when the segment was opened, `took` from its first byte to its end.
 */
export function renderTimeline(timeline: Timeline): string[] {
  const nowMs = Date.parse(timeline.now);
  const segments = timeline.segments.slice(-SHOWN_SEGMENTS);
  return [
    ...(segments.length === 0 ? ['No segment yet.'] : renderSegments(segments, nowMs)),
    ...(timeline.events.length === 0 ? [] : ['', ...timeline.events.map((event) => renderEvent(event, nowMs))]),
  ];
}

function renderSegments(segments: readonly Segment[], nowMs: number): string[] {
  const cells = segments.map((segment) => cellsOf(segment, nowMs));
  const widths = COLUMNS.map((title, column) => Math.max(title.length, ...cells.map((row) => row[column].length)));
  const line = (row: readonly string[]) => row.map((cell, column) => cell.padStart(widths[column])).join('   ');
  return [
    line(COLUMNS),
    ...segments.flatMap((segment, index) => [
      ...missingBefore(segment, segments[index - 1]),
      [line(cells[index]), ...troublesOf(segment)].join('   '),
    ]),
  ];
}

function cellsOf(segment: Segment, nowMs: number): string[] {
  const { seq, openedAt, firstByteMs, durationMs, bytes, chunks, readers, readersSeen, end } = segment;
  return [
    String(seq),
    duration(nowMs - Date.parse(openedAt)),
    firstByteMs === null ? '-' : duration(firstByteMs),
    durationMs === null ? '-' : duration(durationMs),
    String(bytes),
    String(chunks),
    readers > 0 ? `${readersSeen} (${readers} now)` : String(readersSeen),
    segment.held ? printable(end) : `${printable(end)}, left`,
  ];
}

function troublesOf({ end, readersLost }: Segment): string[] {
  return [
    ...(end === 'cut' ? ['! its publisher died in the middle'] : []),
    ...(end === 'evicted' ? ['! left the window before its end'] : []),
    ...(end === 'missed' ? ['! did not come from the edge above'] : []),
    ...(readersLost > 0 ? [`! ${readersLost} reader${readersLost === 1 ? '' : 's'} did not get all of it`] : []),
  ];
}

function missingBefore(segment: Segment, before: Segment | undefined): string[] {
  const missing = before === undefined ? 0 : segment.seq - before.seq - 1;
  if (missing <= 0) return [];
  return [missing === 1 ? `! segment ${segment.seq - 1} was not written` : `! ${missing} segments were not written`];
}

function renderEvent({ at, kind, seq, detail, times }: Timeline['events'][number], nowMs: number): string {
  const ago = `${duration(nowMs - Date.parse(at))} ago`.padStart(12);
  const often = times > 1 ? ` (${times} times)` : '';
  return `${ago}   ${printable(kind).padEnd(11)} at ${seq}${detail === '' ? '' : `: ${printable(detail)}`}${often}`;
}

/** `812 ms`, `12.3 s`, `5 min`. */
function duration(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  return ms < 120_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 60_000)} min`;
}
