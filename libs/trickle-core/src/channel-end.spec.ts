import { describe, expect, it } from '@jest/globals';
import { CURRENT } from './index.ts';
import { bytes, put, reader, setUp, take } from './testing/channel.ts';

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
