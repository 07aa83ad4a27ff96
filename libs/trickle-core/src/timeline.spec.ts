import { describe, expect, it } from '@jest/globals';
import { type Channel, channelTimeline, createHub, HISTORY_EVENTS, HISTORY_SEGMENTS, type TrickleLimits } from './index.ts';

const T0 = Date.UTC(2030, 0, 1);

function setUp(limits: Partial<TrickleLimits> = {}) {
  const time = { nowMs: T0 };
  const hub = createHub({ clock: () => time.nowMs, limits });
  return { time, hub, channel: hub.create({ name: 'c', mimeType: 'text/plain' }) };
}

function put(channel: Channel, seq: number, size = 1): void {
  const writer = channel.write(seq);
  writer.write(new Uint8Array(size));
  writer.end();
}

const kinds = (channel: Channel) => channelTimeline(channel).events.map(({ kind, seq }) => `${kind} ${seq}`);

describe('the timeline of a channel', () => {
  it('tells when a segment was asked for, when its first byte came and how long it took', () => {
    const { channel, time } = setUp();
    const writer = channel.write(0);
    time.nowMs += 40;
    writer.write(new Uint8Array(7));
    channel.read(0);
    time.nowMs += 30;
    writer.write(new Uint8Array(5));
    const open = channelTimeline(channel).segments[0];
    expect(open).toMatchObject({
      firstByteMs: 40,
      durationMs: null,
      bytes: 12,
      chunks: 2,
      end: 'open',
      held: true,
      readers: 1,
      readersSeen: 1,
    });
    writer.end();
    const { now, oldest, nextWrite, segments } = channelTimeline(channel);
    expect([now, oldest, nextWrite]).toEqual(['2030-01-01T00:00:00.070Z', 0, 1]);
    expect(segments).toEqual([{ ...open, openedAt: '2030-01-01T00:00:00.000Z', durationMs: 30, end: 'closed' }]);
  });

  it('has preconnected segments too, which have no byte yet', () => {
    const { channel } = setUp();
    channel.write(3);
    expect(channelTimeline(channel).segments).toMatchObject([{ seq: 3, firstByteMs: null, durationMs: null, bytes: 0, end: 'open' }]);
  });

  it('remembers those that have left the window as they ended, the latest 64', () => {
    const { channel, time, hub } = setUp();
    for (let seq = 0; seq < 100; seq += 1) {
      const writer = channel.write(seq);
      writer.write(new Uint8Array(seq + 1));
      if (seq % 10 === 7) writer.abort();
      else writer.end();
    }
    hub.sweep((time.nowMs += 1001));
    const { segments, oldest } = channelTimeline(channel);
    expect([oldest, segments.length, segments[0].seq]).toEqual([95, HISTORY_SEGMENTS + 5, 95 - HISTORY_SEGMENTS]);
    for (const [index, { seq, bytes, chunks, end, held, durationMs }] of segments.entries()) {
      const cut = seq % 10 === 7;
      expect([seq, bytes, chunks, end, held, durationMs]).toEqual([31 + index, seq + 1, 1, cut ? 'cut' : 'closed', seq >= 95, 0]);
    }
    expect(JSON.parse(JSON.stringify(segments))).toEqual(segments);
  });

  it('calls evicted what left before its end, and counts whom it was taken from', () => {
    const { channel, time, hub } = setUp();
    const writer = channel.write(0);
    writer.write(new Uint8Array(4));
    const kept = channel.read(0);
    if (kept.kind === 'reader') while (kept.reader.next() !== null);
    for (let seq = 1; seq < 7; seq += 1) put(channel, seq);
    time.nowMs += 1001;
    channel.read(1);
    hub.sweep(time.nowMs);
    const [first, second] = channelTimeline(channel).segments;
    expect(first).toMatchObject({ seq: 0, end: 'evicted', bytes: 4, durationMs: 1001, readers: 0, readersSeen: 1, readersLost: 1 });
    expect(second).toMatchObject({ seq: 1, end: 'closed', held: false, readersLost: 1 });
    expect(kinds(channel)).toEqual(['created 0', 'reader_lost 0', 'overrun 0', 'reader_lost 1']);
    expect(channel.counters.readersLost).toBe(2);
  });

  it('tells notable events in their order', () => {
    const { channel, time, hub } = setUp();
    channel.read(9);
    channel.write(0).write(new Uint8Array(1));
    const dying = channel.write(1);
    dying.write(new Uint8Array(1));
    dying.abort();
    channel.write(2, { reset: true });
    channel.write(2);
    hub.sweep((time.nowMs += 250));
    put(channel, 4);
    channel.closeSegment(2);
    expect(() => channel.write(9999)).toThrow(expect.objectContaining({ code: 'invalid_request' }));
    channel.end({ drainMs: 500 });
    channel.end();
    expect(kinds(channel)).toEqual([
      'created 0',
      'gap 9',
      'cut 1',
      'reset 2',
      'closed 0',
      'takeover 2',
      'skipped 2',
      'closed 2',
      'refused 9999',
      'draining 5',
      'ended 5',
    ]);
  });

  it('tells the same event again and again once, and keeps the latest 32', () => {
    const { channel, time } = setUp();
    for (let turn = 0; turn < 500; turn += 1) {
      time.nowMs += 1;
      channel.read(1000);
    }
    const repeated = channelTimeline(channel).events[1];
    expect(repeated).toEqual({ at: '2030-01-01T00:00:00.500Z', kind: 'gap', seq: 1000, detail: 'not in the window', times: 500 });
    for (let seq = 2000; seq < 2100; seq += 1) channel.read(seq);
    const { events } = channelTimeline(channel);
    expect([events.length, events[0].seq, events.at(-1)?.seq]).toEqual([HISTORY_EVENTS, 2100 - HISTORY_EVENTS, 2099]);
  });
});
