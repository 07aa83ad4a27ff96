import { describe, expect, it } from '@jest/globals';
import { type Channel, Chunk, CHUNK_OVERHEAD_BYTES, createHub, CURRENT, NEXT, type SegmentReader, type TrickleLimits } from './index.ts';

const T0 = 1_000_000;

function setUp(limits: Partial<TrickleLimits> = {}) {
  const time = { nowMs: T0 };
  const hub = createHub({ clock: () => time.nowMs, limits });
  return { time, hub, channel: hub.create({ name: 'c', mimeType: 'text/plain' }) };
}

function put(channel: Channel, seq: number, value: string): void {
  const writer = channel.write(seq);
  writer.write(bytes(value));
  writer.end();
}

function bytes(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

/** Everything a reader can have now. */
function take(reader: SegmentReader): string {
  let text = '';
  for (let chunk = reader.next(); chunk !== null; chunk = reader.next())
    text += chunk.payloads.map((payload) => new TextDecoder().decode(payload)).join('');
  return text;
}

function reader(channel: Channel, target: number): SegmentReader {
  const answer = channel.read(target);
  if (answer.kind !== 'reader') throw new Error(`${target}: ${answer.kind}`);
  return answer.reader;
}

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

describe('window', () => {
  it('keeps the newest five whatever their age, and older ones for a second after their first byte', () => {
    const { channel, time, hub } = setUp();
    for (let seq = 0; seq < 8; seq += 1) put(channel, seq, String(seq));
    hub.sweep((time.nowMs += 1000));
    expect(channel.oldest).toBe(0);
    hub.sweep((time.nowMs += 1));
    expect(channel.oldest).toBe(3);
    hub.sweep((time.nowMs += 200_000));
    expect(channel.oldest).toBe(3);
  });

  it('lets the oldest go first when the bytes are too many', () => {
    const cost = 4 + CHUNK_OVERHEAD_BYTES;
    const { channel } = setUp({ windowBytes: 2 * cost + 1, segmentBytes: 4 });
    for (let seq = 0; seq < 4; seq += 1) put(channel, seq, 'abcd');
    expect([channel.oldest, channel.heldBytes]).toEqual([2, 2 * cost]);
  });

  it('lets the oldest go when the segments are too many', () => {
    const { channel } = setUp({ maxSegments: 6 });
    for (let seq = 0; seq < 20; seq += 1) put(channel, seq, 'x');
    expect(20 - channel.oldest).toBeLessThanOrEqual(6);
  });

  it('wakes a waiting reader and a waiting writer of a segment that falls out', () => {
    const { channel, time, hub } = setUp();
    const waiting = reader(channel, 0);
    const writer = channel.write(0);
    for (let seq = 1; seq < 7; seq += 1) put(channel, seq, 'x');
    let woken = 0;
    waiting.observer = { segmentChanged: () => (woken += 1) };
    hub.sweep((time.nowMs += 1001));
    expect([woken, waiting.end, writer.released]).toEqual([1, 'evicted', 'evicted']);
  });

  it('takes the bytes from a reader who is in the middle, and counts it', () => {
    const { channel, time, hub } = setUp();
    put(channel, 0, 'slow');
    const slow = reader(channel, 0);
    for (let seq = 1; seq < 7; seq += 1) put(channel, seq, 'x');
    hub.sweep((time.nowMs += 1001));
    expect([slow.next(), slow.end, channel.heldBytes]).toEqual([null, 'evicted', 5 * (1 + CHUNK_OVERHEAD_BYTES)]);
    slow.close();
    expect(hub.counters.readersLost).toBe(1);
  });
});

describe('a segment that leaves the window while it is written', () => {
  const overrun = () => {
    const { channel, time, hub } = setUp();
    const [writer, other] = [channel.write(0), channel.write(0)];
    writer.write(bytes('half'));
    const whole = reader(channel, 0);
    take(whole);
    for (let seq = 1; seq < 7; seq += 1) put(channel, seq, 'x');
    hub.sweep((time.nowMs += 1001));
    return { channel, hub, writer, other, whole };
  };

  it('lets its writers go, whether they have sent anything or not, and takes nothing more', () => {
    const { channel, writer, other } = overrun();
    expect([writer.released, other.released]).toEqual(['evicted', 'evicted']);
    expect(() => writer.write(bytes('more'))).toThrow(expect.objectContaining({ code: 'segment_gone' }));
    expect([writer.end(), other.end()]).toEqual([
      { seq: 0, bytes: 4, channelEnded: false },
      { seq: 0, bytes: 0, channelEnded: false },
    ]);
    expect([channel.nextWrite, channel.writers]).toEqual([7, 0]);
    expect(() => channel.write(0)).toThrow(expect.objectContaining({ code: 'invalid_request' }));
  });

  it('is lost to a reader that had all of it so far, and not counted as cut when its publisher dies', () => {
    const { hub, writer, whole } = overrun();
    writer.abort();
    expect([whole.end, hub.counters.readersLost, hub.counters.cuts]).toEqual(['evicted', 1, 0]);
  });

  it('lets no writer wait for the turn of another', () => {
    const { channel, time, hub } = setUp();
    const [writer, other] = [channel.write(0), channel.write(0)];
    let turns = 0;
    other.observer = { released: () => {}, turn: () => (turns += 1) };
    writer.writePart(Chunk.of(bytes('half')));
    for (let seq = 1; seq < 7; seq += 1) put(channel, seq, 'x');
    hub.sweep((time.nowMs += 1001));
    expect([other.mustWait, turns]).toEqual([false, 0]);
  });

  it('is whole for a reader that had taken all of it before', () => {
    const { channel, time, hub } = setUp();
    put(channel, 0, 'whole');
    const quick = reader(channel, 0);
    take(quick);
    for (let seq = 1; seq < 7; seq += 1) put(channel, seq, 'x');
    hub.sweep((time.nowMs += 1001));
    expect([quick.end, hub.counters.readersLost]).toEqual(['closed', 0]);
  });
});

describe('limits', () => {
  it('keeps what is still to be written, however many segments that is: a number that has left cannot be written any more', () => {
    const { channel } = setUp({ maxSegments: 3, reachSegments: 6 });
    const ahead = [6, 5, 4, 3, 2, 1].map((seq) => channel.write(seq));
    expect(ahead.map(({ released }) => released)).toEqual(ahead.map(() => null));
    put(channel, 0, 'x');
    expect(take(reader(channel, 0))).toBe('x');
  });

  it('refuses numbers below the window and out of reach above it', () => {
    const { channel, time, hub } = setUp({ reachSegments: 10 });
    for (let seq = 0; seq < 8; seq += 1) put(channel, seq, 'x');
    hub.sweep((time.nowMs += 1001));
    expect(() => channel.write(2)).toThrow(expect.objectContaining({ code: 'invalid_request' }));
    expect(() => channel.write(19)).toThrow(expect.objectContaining({ code: 'invalid_request' }));
    channel.write(3);
    channel.write(18);
  });

  it('cuts a segment that grows too large', () => {
    const { channel } = setUp({ segmentBytes: 4 });
    const writer = channel.write(0);
    writer.write(bytes('abcd'));
    expect(() => writer.write(bytes('e'))).toThrow(expect.objectContaining({ code: 'payload_too_large' }));
    expect(reader(channel, 0).segment.end).toBe('cut');
  });

  it('refuses bytes beyond what all channels may hold, cuts that segment, and takes bytes again when others have left', () => {
    const cost = 4 + CHUNK_OVERHEAD_BYTES;
    const { channel, hub } = setUp({ hubBytes: 2 * cost });
    const other = hub.create({ name: 'other', mimeType: 'x' });
    put(other, 0, 'abcd');
    put(channel, 0, 'abcd');
    const writer = channel.write(1);
    expect(() => writer.write(bytes('e'))).toThrow(expect.objectContaining({ code: 'storage_full' }));
    expect([hub.heldBytes, hub.counters.refusedForSpace]).toEqual([2 * cost, 1]);
    other.end();
    put(channel, 2, 'abcd');
    expect(hub.heldBytes).toBe(2 * cost);
  });

  it('counts what an ended channel holds for as long as somebody reads it', () => {
    const { channel, hub } = setUp();
    put(channel, 0, 'abcd');
    const last = reader(channel, 0);
    channel.end();
    expect(hub.heldBytes).toBeGreaterThan(0);
    last.close();
    expect(hub.heldBytes).toBe(0);
  });

  it('makes no channels once it was told so', () => {
    const { hub } = setUp();
    hub.refuseNew('This edge is going down.');
    expect(() => hub.create({ name: 'd', mimeType: 'x' })).toThrow(expect.objectContaining({ code: 'shutting_down' }));
  });

  it('begins where its maker says, and keeps nothing before', () => {
    const channel = setUp().hub.create({ name: 'mirror', mimeType: 'x', firstSeq: 40 });
    expect([channel.nextWrite, channel.oldest, channel.read(39).kind, channel.read(40).kind]).toEqual([40, 40, 'gone', 'reader']);
    expect(() => channel.write(39)).toThrow(expect.objectContaining({ code: 'invalid_request' }));
  });

  it('bounds readers, writers and channels', () => {
    const { channel, hub } = setUp({ maxReaders: 1, maxWriters: 1, maxChannels: 1 });
    const limit = expect.objectContaining({ code: 'limit_exceeded' });
    const first = reader(channel, 0);
    expect(() => channel.read(0)).toThrow(limit);
    first.close();
    reader(channel, 0);
    channel.write(0);
    expect(() => channel.write(1)).toThrow(limit);
    expect(() => hub.create({ name: 'd', mimeType: 'x' })).toThrow(limit);
  });

  it('refuses a window that cannot hold one segment', () => {
    expect(() => createHub({ clock: () => 0, limits: { segmentBytes: 2, windowBytes: 1 } })).toThrow(
      expect.objectContaining({ code: 'invalid_config' }),
    );
  });
});

describe('a gap on the way to a mirror', () => {
  const mirror = () => setUp().hub.create({ name: 'mirror', mimeType: 'x', firstSeq: 40 });

  it('is told to those who wait for a segment in it, and reading goes on behind it', () => {
    const channel = mirror();
    put(channel, 40, 'x');
    const waiting = reader(channel, 41);
    let told = 0;
    waiting.observer = { segmentChanged: () => (told += 1) };
    channel.skipTo(44);
    expect([told, waiting.ready, waiting.end, channel.counters.gaps]).toEqual([1, true, 'missed', 1]);
    expect([channel.nextWrite, channel.read(42).kind, channel.resolve(NEXT), take(reader(channel, 40))]).toEqual([44, 'gone', 44, 'x']);
    put(channel, 44, 'y');
    expect(take(reader(channel, 44))).toBe('y');
  });

  it('leaves a segment alone that is being written, and one that was closed empty', () => {
    const channel = mirror();
    const writer = channel.write(40);
    writer.write(bytes('x'));
    channel.write(41).end();
    const waiting = channel.write(42);
    channel.skipTo(43);
    waiting.write(bytes('z'));
    writer.write(bytes('y'));
    expect([take(reader(channel, 40)), reader(channel, 41).end, take(reader(channel, 42))]).toEqual(['xy', 'closed', 'z']);
  });

  it('never goes back', () => {
    const channel = mirror();
    channel.skipTo(7);
    expect(channel.nextWrite).toBe(40);
  });

  it('begins at its first number for who asks for the current one, as a new channel does at 0', () => {
    const channel = mirror();
    expect([channel.resolve(CURRENT), channel.resolve(-9)]).toEqual([40, 40]);
  });
});

describe('the end of a channel', () => {
  it('releases waiting readers and writers, and leaves attached readers what they have not taken', () => {
    const { channel, hub } = setUp();
    put(channel, 0, 'held');
    const behind = reader(channel, 0);
    const waiting = reader(channel, 1);
    const writer = channel.write(1);
    expect(hub.end('c')).toBe(true);
    expect([take(behind), behind.end, waiting.end, writer.released, writer.end().channelEnded]).toEqual([
      'held',
      'closed',
      'closed',
      'channel_ended',
      true,
    ]);
    expect([hub.get('c'), hub.end('c'), channel.read(0).kind, channel.read(1).kind]).toEqual([undefined, false, 'reader', 'ended']);
  });

  it('waits for a reader that is behind, until it has come to the next write', () => {
    const { channel, hub } = setUp();
    for (let seq = 0; seq < 3; seq += 1) put(channel, seq, String(seq));
    reader(channel, 0);
    hub.end('c', { drainMs: 1000 });
    expect([channel.ended, take(reader(channel, 1)), take(reader(channel, 2))]).toEqual([false, '1', '2']);
    expect(() => channel.write(3)).toThrow(expect.objectContaining({ code: 'channel_closed' }));
    const last = reader(channel, 3);
    expect([channel.ended, last.end]).toEqual([true, 'closed']);
  });

  it('waits for every follower, not just for the first to arrive', () => {
    const { channel, hub } = setUp();
    for (let seq = 0; seq < 3; seq += 1) put(channel, seq, String(seq));
    const slow = [reader(channel, CURRENT - 2), reader(channel, 1)];
    const fast = reader(channel, CURRENT);
    take(fast);
    fast.close();
    hub.end('c', { drainMs: 1000 });
    reader(channel, 3);
    expect([channel.ended, channel.draining]).toEqual([false, true]);
    for (const one of slow) {
      take(one);
      one.close();
    }
    for (const seq of [2, 2]) {
      const next = reader(channel, seq);
      take(next);
      next.close();
    }
    reader(channel, 3);
    expect(channel.ended).toBe(false);
    reader(channel, 3);
    expect(channel.ended).toBe(true);
  });

  it('waits for one that has a whole segment and has not asked for the next, as long ago as it would wait', () => {
    const { channel, hub, time } = setUp();
    put(channel, 0, '0');
    put(channel, 1, '1');
    const first = reader(channel, -3);
    take(first);
    first.close();
    time.nowMs += 900;
    hub.end('c', { drainMs: 1000 });
    hub.sweep((time.nowMs += 99));
    expect(channel.ended).toBe(false);
    hub.sweep((time.nowMs += 2));
    expect(channel.ended).toBe(true);
  });

  it('waits for one that was told of a gap and is on its way to the live edge', () => {
    const { channel, hub } = setUp();
    put(channel, 0, '0');
    expect(channel.read(9).kind).toBe('gone');
    hub.end('c', { drainMs: 1000 });
    expect(channel.ended).toBe(false);
    reader(channel, 1);
    expect(channel.ended).toBe(true);
  });

  it('does not wait for one that hung up in the middle, nor for one whose next request is open', () => {
    const { channel, hub } = setUp();
    const writer = channel.write(0);
    writer.write(bytes('live'));
    const gone = reader(channel, CURRENT);
    const there = [reader(channel, CURRENT)];
    gone.close();
    there.push(reader(channel, 1));
    hub.end('c', { drainMs: 1000 });
    expect([channel.ended, take(there[0]), there[0].end, there[1].end]).toEqual([true, 'live', 'closed', 'closed']);
  });

  it('does not wait on when the last it waits for hangs up', () => {
    const { channel, hub } = setUp();
    put(channel, 0, '0');
    put(channel, 1, '1');
    const behind = reader(channel, 0);
    hub.end('c', { drainMs: 1000 });
    expect(channel.ended).toBe(false);
    behind.close();
    expect(channel.ended).toBe(true);
  });

  it('can be ordered again with less patience', () => {
    const { channel, hub } = setUp();
    put(channel, 0, '0');
    reader(channel, 0);
    hub.end('c', { drainMs: 1000 });
    hub.end('c');
    expect(channel.ended).toBe(true);
  });

  it('waits no longer than it was told, and not at all when nobody reads', () => {
    const { channel, hub, time } = setUp();
    put(channel, 0, 'x');
    put(channel, 1, 'x');
    reader(channel, 0);
    hub.end('c', { drainMs: 1000 });
    hub.sweep((time.nowMs += 999));
    expect(channel.ended).toBe(false);
    hub.sweep((time.nowMs += 1));
    expect(channel.ended).toBe(true);
    const unread = hub.create({ name: 'd', mimeType: 'x' });
    put(unread, 0, 'x');
    hub.end('d', { drainMs: 1000 });
    expect(unread.ended).toBe(true);
  });

  it('comes by itself after five minutes without a write, not for internal channels', () => {
    const { channel, hub, time } = setUp();
    const internal = hub.create({ name: '_x', mimeType: 'x' });
    time.nowMs += 200_000;
    put(channel, 0, 'x');
    hub.sweep((time.nowMs += 300_000));
    expect(channel.ended).toBe(false);
    hub.sweep((time.nowMs += 1));
    expect([channel.ended, internal.ended]).toEqual([true, false]);
  });
});
