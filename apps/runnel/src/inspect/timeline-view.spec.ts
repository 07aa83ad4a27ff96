import { describe, expect, it } from '@jest/globals';
import { createHub, channelTimeline, NEXT } from '@runnel/trickle-core';
import { printable } from '../cli/fields.ts';
import { parseTimeline, type Timeline } from './timeline.ts';
import { renderTimeline, SHOWN_SEGMENTS } from './timeline-view.ts';

const segment = (seq: number, other: Partial<Timeline['segments'][number]> = {}): Timeline['segments'][number] => ({
  seq,
  openedAt: '2026-01-01T00:00:00.000Z',
  firstByteMs: 12,
  durationMs: 33,
  bytes: 8192,
  chunks: 4,
  end: 'closed',
  held: true,
  readers: 0,
  readersSeen: 1,
  readersLost: 0,
  ...other,
});
const timeline = (segments: Timeline['segments'], events: Timeline['events'] = []): Timeline => ({
  channel: 'c',
  now: '2026-01-01T00:00:02.500Z',
  nextWrite: 9,
  oldest: 4,
  segments,
  events,
});

describe('a timeline for a person', () => {
  it('has a line for each segment under a line of titles', () => {
    expect(renderTimeline(timeline([segment(4, { held: false }), segment(5, { readers: 1, end: 'open', durationMs: null })]))).toEqual([
      'seq     age   first byte    took   bytes   chunks     readers            end',
      '  4   2.5 s        12 ms   33 ms    8192        4           1   closed, left',
      '  5   2.5 s        12 ms       -    8192        4   1 (1 now)           open',
    ]);
  });

  it('marks what went wrong: cuts, segments and readers that the window lost, numbers that were never written', () => {
    const text = renderTimeline(
      timeline([segment(1), segment(3, { end: 'cut' }), segment(7, { end: 'evicted', readersLost: 2 }), segment(8, { end: 'missed' })]),
    ).join('\n');
    expect(text).toContain('! segment 2 was not written');
    expect(text).toContain('! 3 segments were not written');
    expect(text).toMatch(/ 3 .* cut {3}! its publisher died in the middle/);
    expect(text).toMatch(/ 7 .* evicted {3}! left the window before its end {3}! 2 readers did not get all of it/);
    expect(text).toMatch(/ 8 .* missed {3}! did not come from the edge above/);
  });

  it('tells the events with their age and how often they came', () => {
    const event = { at: '2026-01-01T00:00:00.500Z', kind: 'gap', seq: 3, detail: 'next write is 9', times: 4 };
    expect(renderTimeline(timeline([], [event, { ...event, detail: '', times: 1 }]))).toEqual([
      'No segment yet.',
      '',
      '   2.0 s ago   gap         at 3: next write is 9 (4 times)',
      '   2.0 s ago   gap         at 3',
    ]);
  });

  it('shows the newest segments when there are many', () => {
    const lines = renderTimeline(timeline(Array.from({ length: 100 }, (_, seq) => segment(seq))));
    expect(lines).toHaveLength(SHOWN_SEGMENTS + 1);
    expect(lines.at(-1)).toMatch(/^ *99 /);
  });

  it('obeys no terminal sequence of another machine', () => {
    expect(printable('a\u001B[2Jb\u009Bc\r\n')).toBe('a\uFFFD[2Jb\uFFFDc\uFFFD\uFFFD');
    const hostile = '\u001B]0;x\u0007';
    const lines = renderTimeline(
      timeline([segment(1, { end: hostile })], [{ at: '2026-01-01T00:00:00.000Z', kind: hostile, seq: 1, detail: hostile, times: 1 }]),
    );
    expect(lines.join('\n')).not.toMatch(/(?!\n)\p{Cc}/u);
  });

  it('reads what a channel tells of itself, and nothing else', () => {
    const hub = createHub({ clock: () => 1_000_000 });
    const channel = hub.create({ name: 'c', mimeType: 'video/MP2T' });
    const writer = channel.write(NEXT);
    writer.write(new Uint8Array(10));
    writer.end();
    const parsed = parseTimeline(JSON.stringify(channelTimeline(channel)))!;
    expect(parsed).toEqual(channelTimeline(channel));
    expect(renderTimeline(parsed).join('\n')).toMatch(/ 0 .* 10 .* closed[^]*created/);
    for (const other of ['', 'null', '{}', '[]', '{"segments":[]}']) expect(parseTimeline(other)).toBeNull();
  });
});
