import { describe, expect, it } from '@jest/globals';
import { Chunk, CHUNK_OVERHEAD_BYTES } from './chunk.ts';

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytes = (value: string) => new TextEncoder().encode(value);

describe('a chunk', () => {
  it('of plain bytes is one frame on the wire, and holds its bytes once', () => {
    const chunk = Chunk.of(bytes('hello, frames of sixteen and more'));
    expect([chunk.size, text(chunk.framed)]).toEqual([33, '21\r\nhello, frames of sixteen and more\r\n']);
    expect(chunk.payloads.map(text)).toEqual(['hello, frames of sixteen and more']);
    expect(chunk.payloads[0].buffer).toBe(chunk.framed.buffer);
  });

  it('of frames gives the payload of each, whatever the case and zeros of its size', () => {
    const chunk = Chunk.framed(bytes('3\r\nabc\r\n000A\r\n0123456789\r\n00a\r\n9876543210\r\n'), 23);
    expect(chunk.payloads.map(text)).toEqual(['abc', '0123456789', '9876543210']);
  });

  it('takes of a bound on memory what it came with: its frames, however many times their bytes that is', () => {
    expect(Chunk.framed(bytes('00000001\r\nx\r\n00000001\r\ny\r\n'), 2).cost).toBe(26 + CHUNK_OVERHEAD_BYTES);
    const plain = Chunk.of(bytes('xy'));
    const { cost } = plain;
    expect([cost, plain.framed.byteLength, plain.cost]).toEqual([2 + CHUNK_OVERHEAD_BYTES, 7, cost]);
  });

  it('ends a segment in one piece, without a copy where the last chunk followed it in memory', () => {
    const all = bytes('1\r\nx\r\n0\r\n\r\n');
    expect(Chunk.ended(all, 1).framedFinal).toBe(all);
    expect(text(Chunk.of(bytes('x')).framedFinal)).toBe('1\r\nx\r\n0\r\n\r\n');
  });
});
