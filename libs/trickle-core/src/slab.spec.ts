import { describe, expect, it } from '@jest/globals';
import { Chunk } from './chunk.ts';
import { MAX_COPIED_BYTES, SLAB_BYTES, SlabPool } from './slab.ts';

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytes = (value: string) => new TextEncoder().encode(value);

describe('the memory of a busy channel', () => {
  it('gives each copy its own place, and uses a slab again only when nobody holds any of it', () => {
    const pool = new SlabPool();
    const piece = new Uint8Array(MAX_COPIED_BYTES);
    const first = Array.from({ length: SLAB_BYTES / MAX_COPIED_BYTES }, (_, at) => pool.copy(piece.fill(at + 1)));
    expect(first.map(({ copy }) => copy[0])).toEqual([1, 2, 3, 4]);
    const next = pool.copy(piece.fill(9));
    expect(next.slab).not.toBe(first[0].slab);
    for (const { slab } of first.slice(1)) slab.release();
    const third = Array.from({ length: 4 }, () => pool.copy(piece.fill(7)));
    expect(third.some(({ slab }) => slab === first[0].slab)).toBe(false);
    expect(first.map(({ copy }) => copy[0])).toEqual([1, 2, 3, 4]);
    first[0].slab.release();
    expect(Array.from({ length: 4 }, () => pool.copy(piece.fill(8))).some(({ slab }) => slab === first[0].slab)).toBe(true);
  });

  it('keeps what a write under way needs after the segment has let it go', () => {
    const pool = new SlabPool();
    const chunk = Chunk.of(bytes('needed'));
    chunk.moveTo(pool);
    const { framed, slab } = chunk;
    slab!.hold();
    chunk.release();
    for (let count = 0; count < 3 * SLAB_BYTES; count += 1000) pool.copy(new Uint8Array(1000)).slab.release();
    expect(text(framed)).toBe('6\r\nneeded\r\n');
    slab!.release();
  });

  it('changes nothing of a chunk, with its end in the same memory or without', () => {
    const pool = new SlabPool();
    const all = bytes('3\r\nabc\r\n0\r\n\r\n');
    const [whole, alone] = [Chunk.ended(all, 3), Chunk.of(bytes('abc'))];
    whole.moveTo(pool);
    alone.moveTo(pool);
    expect([whole, alone].map((chunk) => [text(chunk.framed), text(chunk.framedFinal), chunk.payloads.map(text)])).toEqual([
      ['3\r\nabc\r\n', '3\r\nabc\r\n0\r\n\r\n', ['abc']],
      ['3\r\nabc\r\n', '3\r\nabc\r\n0\r\n\r\n', ['abc']],
    ]);
    expect([whole.hasFinal, alone.hasFinal]).toEqual([true, false]);
    const [payload] = whole.payloads;
    whole.release();
    pool.copy(bytes('xxxxxxxxxxxxxxxxxxxxxxxxxxx'));
    expect([text(payload), whole.framed.byteLength]).toEqual(['abc', 0]);
  });

  it('leaves alone what is dear to copy, also when it is the framing that is large', () => {
    const pool = new SlabPool();
    const large = Chunk.of(new Uint8Array(MAX_COPIED_BYTES + 1));
    const frames = bytes('1\r\nx\r\n'.repeat(MAX_COPIED_BYTES / 4));
    const many = Chunk.framed(frames, MAX_COPIED_BYTES / 4);
    large.moveTo(pool);
    many.moveTo(pool);
    expect([large.slab, many.slab, many.framed]).toEqual([null, null, frames]);
  });
});
