import { describe, expect, it } from '@jest/globals';
import { Chunk, CURRENT, NEXT } from './index.ts';
import { bytes, put, reader, setUp, take } from './testing/channel.ts';

describe('next write', () => {
  it('moves at the first byte, not when a segment is opened', () => {
    const { channel } = setUp();
    const writer = channel.write(0);
    channel.write(1);
    expect(channel.nextWrite).toBe(0);
    writer.write(bytes('a'));
    expect(channel.nextWrite).toBe(1);
  });

  it('does not go back when an older segment gets its first byte late', () => {
    const { channel } = setUp();
    const late = channel.write(0);
    put(channel, 1, 'one');
    late.write(bytes('zero'));
    late.end();
    expect([channel.nextWrite, take(reader(channel, 0))]).toEqual([2, 'zero']);
  });

  it('moves past a segment that was ended empty', () => {
    const { channel } = setUp();
    channel.write(0).end();
    expect([channel.nextWrite, reader(channel, 0).end]).toEqual([1, 'closed']);
  });

  it('stays when a publisher dies before its first byte, and the next try succeeds', () => {
    const { channel } = setUp();
    const waiting = reader(channel, 0);
    channel.write(0).abort();
    expect([channel.nextWrite, waiting.ready]).toEqual([0, false]);
    put(channel, 0, 'again');
    expect([take(waiting), waiting.end]).toEqual(['again', 'closed']);
  });
});

describe('writing at the next write (-1)', () => {
  it('gives each of several waiting publishers a segment of its own', () => {
    const { channel } = setUp();
    const [a, b] = [channel.write(NEXT), channel.write(NEXT)];
    b.write(bytes('b'));
    a.write(bytes('a'));
    expect([a.end().seq, b.end().seq]).toEqual([1, 0]);
    expect([take(reader(channel, 0)), take(reader(channel, 1))]).toEqual(['b', 'a']);
  });

  it('names the number also when nothing was written', () => {
    const { channel } = setUp();
    put(channel, 0, 'x');
    expect([channel.write(NEXT).end(), channel.nextWrite]).toEqual([{ seq: 1, bytes: 0, channelEnded: false }, 2]);
  });
});

describe('a second writer of one segment', () => {
  it('takes over from one that has sent nothing, once the grace is over', () => {
    const { channel, time, hub } = setUp({ takeoverGraceMs: 250 });
    const old = channel.write(0);
    const young = channel.write(0);
    hub.sweep((time.nowMs += 249));
    expect(old.released).toBeNull();
    hub.sweep((time.nowMs += 1));
    expect([old.released, young.released, channel.nextWrite]).toEqual(['takeover', null, 0]);
    young.write(bytes('x'));
    young.end();
    expect(reader(channel, 0).end).toBe(null);
  });

  it('does not push out one whose first byte comes within the grace: nothing is lost', () => {
    const { channel, time, hub } = setUp();
    const [a, b] = [channel.write(0), channel.write(0)];
    const all = reader(channel, 0);
    b.write(bytes('b'));
    a.write(bytes('a'));
    hub.sweep((time.nowMs += 10_000));
    a.write(bytes('A'));
    b.end();
    expect([take(all), all.end]).toEqual(['baA', null]);
    a.end();
    expect(all.end).toBe('closed');
  });

  it('appends to a segment that is closed: a later reader gets all', () => {
    const { channel } = setUp();
    put(channel, 0, 'first');
    put(channel, 0, 'second');
    expect(take(reader(channel, 0))).toBe('firstsecond');
  });

  it('waits while the first is in the middle of a chunk, and is told when its turn has come', () => {
    const { channel } = setUp();
    const [a, b] = [channel.write(0), channel.write(0)];
    let turns = 0;
    b.observer = { released: () => {}, turn: () => (turns += 1) };
    a.writePart(Chunk.of(bytes('a')));
    expect([a.mustWait, b.mustWait]).toEqual([false, true]);
    a.write(bytes('A'));
    expect([turns, b.mustWait]).toEqual([1, false]);
    a.writePart(Chunk.of(bytes('a')));
    a.abort();
    expect([turns, b.mustWait]).toEqual([2, false]);
  });

  it('never mixes bytes inside a chunk', () => {
    const { channel } = setUp();
    const [a, b] = [channel.write(0), channel.write(0)];
    for (let turn = 0; turn < 3; turn += 1) {
      a.write(bytes('aa'));
      b.write(bytes('bb'));
    }
    expect(take(reader(channel, 0))).toBe('aabbaabbaabb');
  });
});

describe('a publisher that dies', () => {
  it('cuts its segment: readers get what came and are told that it is not whole', () => {
    const { channel, hub } = setUp();
    const writer = channel.write(0);
    writer.write(bytes('half'));
    const live = reader(channel, 0);
    writer.abort();
    expect([take(live), live.end]).toEqual(['half', 'cut']);
    expect(hub.counters.cuts).toBe(1);
  });

  it('leaves a hole that an append cannot mend', () => {
    const { channel } = setUp();
    const writer = channel.write(0);
    writer.write(bytes('half'));
    writer.abort();
    put(channel, 0, 'more');
    const late = reader(channel, 0);
    expect([take(late), late.end]).toEqual(['halfmore', 'cut']);
  });
});

describe('Reset', () => {
  it('closes all older segments, lets go of those who wait on them, and keeps what they hold', () => {
    const { channel } = setUp();
    const old = channel.write(0);
    old.write(bytes('held'));
    const waiting = channel.write(1);
    const live = reader(channel, 0);
    channel.write(2, { reset: true });
    expect([take(live), live.end, waiting.released]).toEqual(['held', 'closed', 'segment_closed']);
    expect(take(reader(channel, 0))).toBe('held');
  });

  it('sends those who are told on to what is still to come', () => {
    const { channel } = setUp();
    const waiting = reader(channel, 0);
    channel.write(3);
    const seen: string[] = [];
    waiting.observer = { segmentChanged: () => seen.push(channel.read(1).kind, String(channel.nextWrite)) };
    channel.write(5, { reset: true });
    expect(seen).toEqual(['gone', '4']);
  });

  it('leaves preconnected newer segments alone', () => {
    const { channel } = setUp();
    const ahead = channel.write(3);
    channel.write(2, { reset: true });
    expect(ahead.released).toBeNull();
  });
});

describe('closing one segment', () => {
  it('releases its readers and moves the next write past it', () => {
    const { channel } = setUp();
    const waiting = reader(channel, 0);
    const writer = channel.write(0);
    expect(channel.closeSegment(0)).toBe(true);
    expect([waiting.end, writer.released, channel.nextWrite]).toEqual(['closed', 'segment_closed', 1]);
  });

  it('is refused outside the window', () => {
    expect(setUp().channel.closeSegment(0)).toBe(false);
  });
});

describe('reading', () => {
  it('resolves -1, -2, -N and numbers from the next write', () => {
    const { channel } = setUp();
    expect([NEXT, CURRENT, -3].map((target) => channel.resolve(target))).toEqual([0, 0, 0]);
    for (let seq = 0; seq < 4; seq += 1) put(channel, seq, String(seq));
    expect([NEXT, CURRENT, -3, -4, -5, -99].map((target) => channel.resolve(target))).toEqual([4, 3, 2, 1, 0, 0]);
  });

  it('clamps -N to the oldest segment that is held', () => {
    const { channel, time, hub } = setUp();
    for (let seq = 0; seq < 9; seq += 1) put(channel, seq, String(seq));
    hub.sweep((time.nowMs += 1001));
    expect([channel.resolve(-50), channel.oldest]).toEqual([4, 4]);
  });

  it('may be one ahead, at 0 and 1 of a fresh channel, and no further', () => {
    const { channel } = setUp();
    expect([0, 1, 2].map((seq) => channel.read(seq).kind)).toEqual(['reader', 'reader', 'gone']);
    put(channel, 0, 'x');
    put(channel, 1, 'x');
    expect([2, 3].map((seq) => channel.read(seq).kind)).toEqual(['reader', 'gone']);
  });

  it('tells what is gone with the latest number, and counts it', () => {
    const { channel, hub } = setUp();
    put(channel, 0, 'x');
    expect(channel.read(7)).toEqual({ kind: 'gone', seq: 7, latest: 1 });
    expect(hub.counters.gaps).toBe(1);
  });

  it('holds a segment that a publisher has preconnected, however far ahead', () => {
    const { channel } = setUp();
    const writer = channel.write(4);
    const waiting = reader(channel, 4);
    writer.write(bytes('x'));
    expect(take(waiting)).toBe('x');
  });
});
