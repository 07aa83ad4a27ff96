import { describe, expect, it } from '@jest/globals';
import { Chunk, createHub, type SegmentReader } from '@runnel/trickle-core';
import { FirstPieces } from './first-piece.ts';

const framing = { minor: 1, keepAlive: true, date: 'Sat, 21 Nov 2026 15:00:00 GMT' } as const;
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');

function setUp() {
  const hub = createHub({ clock: () => 1_000_000 });
  const pieces = new FirstPieces({ hub } as ConstructorParameters<typeof FirstPieces>[0]);
  const channel = hub.create({ name: 'a', mimeType: 'a/a' });
  const read = (target: number, from = channel): SegmentReader => {
    const found = from.read(target);
    if (found.kind !== 'reader') throw new Error(found.kind);
    return found.reader;
  };
  return { hub, pieces, channel, read };
}

describe('what subscribers get first', () => {
  it('is one buffer for all who waited, head and chunk together', () => {
    const { pieces, channel, read } = setUp();
    const [one, two] = [read(0), read(0)];
    channel.write(0).write(new Uint8Array([0x61, 0x62]));
    const made = [one, two].map((reader) => pieces.get(channel, reader, reader.next()!, { last: false, framing }));
    expect(made[0]).toBe(made[1]);
    expect(text(made[0])).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*Lp-Trickle-Seq: 0\r\n[^]*\r\n\r\n2\r\nab\r\n$/);
  });

  it('has the end where the chunk is the last, and has none where it is not', () => {
    const { pieces, channel, read } = setUp();
    const [one, two] = [read(0), read(0)];
    channel.write(0).end(Chunk.of(new Uint8Array([0x61])));
    const chunk = one.next()!;
    const [last, open] = [true, false].map((isLast) => text(pieces.get(channel, isLast ? one : two, chunk, { last: isLast, framing })));
    expect([last.endsWith('\r\n1\r\na\r\n0\r\n\r\n'), open.endsWith('\r\n\r\n1\r\na\r\n')]).toEqual([true, true]);
  });

  it('is another one for whoever is to be told other headers', () => {
    const { pieces, channel, read } = setUp();
    // The one asks for the next write, the other runs one ahead of it: only that one is told the latest.
    const ahead = read(1);
    channel.write(0).end();
    const waiting = read(1);
    channel.write(1).write(new Uint8Array([0x61]));
    const late = read(1);
    const [first, second, third] = [ahead, waiting, late].map((reader) =>
      text(pieces.get(channel, reader, reader.next()!, { last: false, framing })),
    );
    expect([first, second, third].map((head) => /Lp-Trickle-Latest: (\d)/.exec(head)?.[1])).toEqual(['0', undefined, '2']);
    expect([first, second, third].map((head) => head.includes('Lp-Trickle-Age'))).toEqual([false, false, true]);
    const closing = text(
      pieces.get(channel, waiting, Chunk.of(new Uint8Array([0x62])), { last: false, framing: { ...framing, keepAlive: false } }),
    );
    expect([closing.includes('Connection: close'), first.includes('Connection')]).toEqual([true, false]);
  });

  it('never serves a chunk for another one, or a channel for another one with the same chunk', () => {
    const { hub, pieces, channel, read } = setUp();
    const other = hub.create({ name: 'b', mimeType: 'b/b' });
    const readers = [read(0), read(0, other)];
    const chunk = Chunk.of(new Uint8Array([0x61]));
    channel.write(0).write(chunk);
    other.write(0).write(chunk);
    const heads = [channel, other].map((from, index) => text(pieces.get(from, readers[index], chunk, { last: false, framing })));
    expect(heads.map((head) => /Content-Type: (.*)\r/.exec(head)?.[1])).toEqual(['a/a', 'b/b']);
    const next = text(pieces.get(other, readers[1], Chunk.of(new Uint8Array([0x7a])), { last: false, framing }));
    expect(next.endsWith('\r\n1\r\nz\r\n')).toBe(true);
  });

  it('stays whole for those who wait when one between them gets another head', () => {
    const { pieces, channel, read } = setUp();
    const readers = [read(0), read(0), read(0)];
    channel.write(0).write(new Uint8Array([0x61, 0x62]));
    const [first, closing, third] = readers.map((reader, index) =>
      text(pieces.get(channel, reader, reader.next()!, { last: false, framing: { ...framing, keepAlive: index !== 1 } })),
    );
    expect(third).toBe(first);
    expect(closing).toContain('Connection: close\r\n');
  });

  it('stays as it is while a socket holds it', () => {
    const { pieces, channel, read } = setUp();
    const reader = read(0);
    channel.write(0).write(new Uint8Array([0x61]));
    const held = pieces.get(channel, reader, reader.next()!, { last: false, framing });
    const before = text(held);
    pieces.keep();
    pieces.get(channel, read(0), Chunk.of(new Uint8Array([0x7a, 0x7a])), { last: true, framing });
    expect(text(held)).toBe(before);
  });

  it('is let go of when told, so that an idle relay holds no segment through it', () => {
    const { pieces, channel, read } = setUp();
    const reader = read(0);
    channel.write(0).write(new Uint8Array([0x61]));
    const chunk = reader.next()!;
    const made = pieces.get(channel, reader, chunk, { last: false, framing });
    pieces.clear();
    expect(pieces.get(channel, reader, chunk, { last: false, framing })).not.toBe(made);
  });
});
