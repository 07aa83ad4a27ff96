import { describe, expect, it } from '@jest/globals';
import { Chunk, CHUNK_OVERHEAD_BYTES, CURRENT, NEXT } from './index.ts';
import { bytes, put, reader, setUp, take } from './testing/channel.ts';

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

  it('may be full to its last byte', () => {
    const cost = 4 + CHUNK_OVERHEAD_BYTES;
    const { channel } = setUp({ windowBytes: 2 * cost, segmentBytes: 4 });
    for (let seq = 0; seq < 2; seq += 1) put(channel, seq, 'abcd');
    expect(channel.oldest).toBe(0);
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

  it('is not called whole, although it was closed from outside, while a publisher is still at it', () => {
    const { channel, time, hub } = setUp();
    const writer = channel.write(0);
    writer.write(bytes('half'));
    const follower = reader(channel, 0);
    take(follower);
    channel.closeSegment(0);
    for (let seq = 1; seq < 7; seq += 1) put(channel, seq, 'x');
    hub.sweep((time.nowMs += 1001));
    expect([follower.end, writer.released]).toEqual(['evicted', 'evicted']);
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
