import { describe, expect, it } from '@jest/globals';
import { CHUNK_OVERHEAD_BYTES, createHub } from './index.ts';
import { bytes, put, reader, setUp, take } from './testing/channel.ts';

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
