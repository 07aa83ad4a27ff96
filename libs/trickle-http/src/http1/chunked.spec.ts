import { describe, expect, it } from '@jest/globals';
import type { Chunk } from '@runnel/trickle-core';
import { ChunkedDecoder, keptSlice } from './chunked.ts';

/** Decodes pieces and tells what came out: text of the pieces, and how it ended. */
function decode(pieces: (string | Buffer)[], maxChunkBytes = 1024 * 1024) {
  const decoder = new ChunkedDecoder({ maxChunkBytes });
  const out: { kind: 'chunk' | 'part' | 'last'; chunk: Chunk }[] = [];
  const sink = {
    chunk: (chunk: Chunk, last: boolean) => out.push({ kind: last ? 'last' : 'chunk', chunk }) > 0,
    part: (chunk: Chunk) => out.push({ kind: 'part', chunk }) > 0,
  };
  let rest = '';
  for (const piece of pieces) {
    const buffer = typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece;
    const at = decoder.decode(buffer, 0, sink);
    if (at < 0) return { out, fault: at, decoder, text: textOf(out) };
    rest += buffer.toString('latin1', at);
  }
  return { out, fault: null, decoder, rest, text: textOf(out) };
}

const textOf = (out: { chunk: Chunk }[]) =>
  out.map(({ chunk }) => chunk.payloads.map((payload) => Buffer.from(payload).toString('latin1')).join('')).join('|');

describe('a chunked body', () => {
  it('in one piece is one slice of what was received, its end included', () => {
    const all = Buffer.from(`400\r\n${'a'.repeat(1024)}\r\n003\r\nxyz\r\n0\r\n\r\nGET`, 'latin1');
    const { out, rest, decoder } = decode([all]);
    expect([out.length, out[0].kind, out[0].chunk.size, rest, decoder.done]).toEqual([1, 'last', 1027, 'GET', true]);
    expect([out[0].chunk.framed.buffer, out[0].chunk.framedFinal.buffer]).toEqual([all.buffer, all.buffer]);
    expect(Buffer.from(out[0].chunk.framedFinal).equals(all.subarray(0, -3))).toBe(true);
    expect(Buffer.from(out[0].chunk.framed).equals(all.subarray(0, -8))).toBe(true);
  });

  it('hands on at once what has come of a chunk', () => {
    const { out, text, decoder } = decode(['5\r\nhe', 'll', 'o\r\n']);
    expect([out.map(({ kind }) => kind), text, decoder.inChunk]).toEqual([['part', 'part', 'chunk'], 'he|ll|o', false]);
  });

  it('tells its last chunk where the end came with it, and the end alone where it did not', () => {
    expect(decode(['1\r\nx\r\n0\r\n\r\n']).out.map(({ kind }) => kind)).toEqual(['last']);
    const late = decode(['1\r\nx\r\n', '0\r\n\r\n']);
    expect([late.out.map(({ kind }) => kind), late.decoder.done]).toEqual([['chunk'], true]);
    const trailed = decode(['1\r\nx\r\n0\r\nDigest: y\r\n\r\n']);
    expect([trailed.out.map(({ kind }) => kind), trailed.decoder.done]).toEqual([['chunk'], true]);
  });

  it.each(['0\r\n\r\n', '00000000\r\n\r\n', '0;a=b\r\n\r\n', '0\r\nA: b\r\nC: d\r\n\r\n', '0 \r\n\r\n'])('may be empty: %j', (body) => {
    const { out, decoder, rest } = decode([`${body}next`]);
    expect([out.length, decoder.done, rest]).toEqual([0, true, 'next']);
  });

  it.each([
    ['extensions', '3;name=value;other="q"\r\nabc\r\n0\r\n\r\n'],
    ['upper case', '00A\r\n0123456789\r\n0\r\n\r\n'],
    ['eight digits', '00000003\r\nabc\r\n0\r\n\r\n'],
    ['white space behind the size', '3 \t\r\nabc\r\n0\r\n\r\n'],
    ['an extension without a value', '3 ; a\r\nabc\r\n0\r\n\r\n'],
  ])('may have %s', (_name, body) => {
    const { fault, decoder, text } = decode([body]);
    expect([fault, decoder.done, text.length]).toEqual([null, true, body.includes('A') ? 10 : 3]);
  });

  it.each([
    ['no digits', '\r\nabc'],
    ['no hexadecimal digit', 'g\r\nabc'],
    ['a sign', '+3\r\nabc'],
    ['a negative size', '-3\r\nabc'],
    ['0x', '0x3\r\nabc'],
    ['a space before the size', ' 3\r\nabc'],
    ['nine digits', '000000003\r\nabc\r\n0\r\n\r\n'],
    ['a size beyond 32 bits', 'fffffffff\r\nabc'],
    ['a bare LF behind the size', '3\nabc'],
    ['a bare CR behind the size', '3\rabc\r\n'],
    ['a control in an extension', '3;\u0001\r\nabc'],
    ['a bare CR in an extension', '3;a\rb\r\nabc'],
    ['a longer chunk than it says', '3\r\nabcd\r\n'],
    ['an LF behind a chunk', '3\r\nabc\n0\r\n\r\n'],
    ['a CR behind a chunk', '3\r\nabc\r0\r\n\r\n'],
    ['a bare LF behind the last size', '0\n\r\n'],
    ['a bare LF in the trailers', '0\r\nA: b\n\r\n'],
    ['a bare LF at the end', '0\r\n\n'],
    ['an endless size line', `3;${'a'.repeat(300)}`],
    ['endless trailers', `0\r\n${'A: b\r\n'.repeat(2000)}`],
    ['an endless trailer', `0\r\n${'A'.repeat(9000)}`],
  ])('is refused with %s, in one piece and byte by byte', (_name, body) => {
    expect(decode([body]).fault).toBe(-1);
    expect(decode(body.split('')).fault).toBe(-1);
  });

  it('is refused when a chunk is larger than allowed, before it comes', () => {
    expect(decode(['b\r\n'], 10).fault).toBe(-2);
    expect(decode(['b\r\n01234567890\r\n'], 10).fault).toBe(-2);
    expect(decode('ffffffff\r\n'.split(''), 10).fault).toBe(-2);
    expect(decode(['a\r\n0123456789\r\n0\r\n\r\n'], 10).fault).toBeNull();
  });

  it('stops behind what was handed out when the sink wants no more, and goes on from there', () => {
    const buffer = Buffer.from('2\r\nab\r\n1;x\r\nc\r\n3\r\ndef\r\n0\r\n\r\nZ', 'latin1');
    const decoder = new ChunkedDecoder({ maxChunkBytes: 100 });
    const seen: string[] = [];
    const take = (chunk: Chunk) => {
      seen.push(chunk.payloads.map((payload) => Buffer.from(payload).toString('latin1')).join(''));
      return false;
    };
    let at = 0;
    for (let turn = 0; !decoder.done && turn < 20; turn += 1) {
      const before = seen.length;
      at = decoder.decode(buffer, at, { chunk: take, part: take });
      expect(seen.length - before).toBeLessThanOrEqual(1);
    }
    expect([seen, buffer.toString('latin1', at)]).toEqual([['ab', 'c', 'def'], 'Z']);
  });
});

describe('the memory that a piece of a received buffer keeps', () => {
  const received = Buffer.alloc(64 * 1024, 'r');

  it('is that buffer where the piece is a good part of it', () => {
    expect(keptSlice(received, 100, 100 + 16 * 1024).buffer).toBe(received.buffer);
    const small = Buffer.alloc(4096);
    expect(keptSlice(small, 0, 1).buffer).toBe(small.buffer);
  });

  it('is a copy of its own where it is not: a slow subscriber does not hold the bytes of others', () => {
    const piece = keptSlice(received, 100, 100 + 16 * 1024 - 1);
    expect([piece.buffer === received.buffer, piece.buffer.byteLength, piece.every((byte) => byte === 0x72)]).toEqual([
      false,
      16 * 1024 - 1,
      true,
    ]);
  });

  it('is at most four times its bytes for each chunk that is decoded', () => {
    const body = `${'10\r\n0123456789abcdef\r\n'.repeat(3)}8;ext\r\n01234567\r\n`;
    const buffer = Buffer.concat([Buffer.from(body), Buffer.alloc(60_000, 0x20)]);
    const { out } = decode([buffer]);
    expect(out.length).toBe(2);
    for (const { chunk } of out) expect(chunk.payloads[0].buffer.byteLength).toBeLessThanOrEqual(4 * chunk.framed.byteLength);
  });
});
