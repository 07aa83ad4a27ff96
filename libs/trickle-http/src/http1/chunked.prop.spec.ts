import { describe, expect, it } from '@jest/globals';
import type { Chunk } from '@runnel/trickle-core';
import * as fc from 'fast-check';
import { ChunkedDecoder } from './chunked.ts';

/** A chunk as a client may write it. */
interface Written {
  readonly size: number;
  readonly upper: boolean;
  readonly zeros: number;
  readonly extension: string;
}

const chunkOf = (size: fc.Arbitrary<number>): fc.Arbitrary<Written> =>
  fc.record({
    size,
    upper: fc.boolean(),
    zeros: fc.nat(7),
    extension: fc.oneof(
      { arbitrary: fc.constant(''), weight: 4 },
      { arbitrary: fc.constantFrom(';a', ' ;a="b c"', ';\u00e9=1;x', '\t'), weight: 1 },
    ),
  });

const sizes = fc.oneof(
  { arbitrary: fc.integer({ min: 1, max: 40 }), weight: 6 },
  { arbitrary: fc.integer({ min: 1, max: 5000 }), weight: 3 },
  { arbitrary: fc.integer({ min: 5000, max: 70_000 }), weight: 1 },
);
const bodies = fc.record({
  chunks: fc.array(chunkOf(sizes), { maxLength: 12 }),
  trailers: fc.oneof(
    { arbitrary: fc.constant(''), weight: 4 },
    { arbitrary: fc.constantFrom('A: b\r\n', 'A: b\r\nLong: c\r\n'), weight: 1 },
  ),
  lastZeros: fc.nat(7),
  fill: fc.nat(255),
});
type Body = typeof bodies extends fc.Arbitrary<infer T> ? T : never;

/** Cuts: how a network divides what is sent. */
const cuts = fc.oneof(
  fc.constant([1]),
  fc.constant([1_000_000]),
  fc.array(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 40_000 })), { minLength: 1, maxLength: 20 }),
);

/** Bytes that tell their place. */
const PATTERN = Buffer.from(Uint8Array.from({ length: 900_000 }, (_, at) => (at * 31 + (at >> 8) + (at >> 16)) & 255));

/** Payload and wire form of a body. */
function written({ chunks, trailers, lastZeros, fill }: Body): { payload: Buffer; wire: Buffer } {
  const payload = Buffer.alloc(chunks.reduce((sum, { size }) => sum + size, 0));
  payload.set(PATTERN.subarray(fill, fill + payload.length));
  const parts: Buffer[] = [];
  let at = 0;
  for (const { size, upper, zeros, extension } of chunks) {
    const digits = upper ? size.toString(16).toUpperCase() : size.toString(16);
    parts.push(Buffer.from(`${digits.padStart(Math.min(8, digits.length + zeros), '0')}${extension}\r\n`, 'latin1'));
    parts.push(payload.subarray(at, at + size), Buffer.from('\r\n'));
    at += size;
  }
  parts.push(Buffer.from(`${'0'.repeat(1 + lastZeros)}\r\n${trailers}\r\n`));
  return { payload, wire: Buffer.concat(parts) };
}

/** Pieces of those lengths in turn; of a long body none that are so small that a run takes for ever. */
function* divided(wire: Buffer, lengths: readonly number[]): Generator<Buffer> {
  const least = wire.length < 2000 ? 1 : wire.length / 100;
  for (let at = 0, turn = 0; at < wire.length; turn += 1) {
    const end = Math.min(wire.length, Math.ceil(at + Math.max(least, lengths[turn % lengths.length])));
    // As a socket gives it: memory of its own.
    yield Buffer.from(Uint8Array.prototype.slice.call(wire, at, end).buffer);
    at = end;
  }
}

/** Everything that came out of a decoder for the pieces of one body. */
function run(pieces: Iterable<Buffer>, options: { maxChunkBytes?: number; stopEach?: number } = {}) {
  const decoder = new ChunkedDecoder({ maxChunkBytes: options.maxChunkBytes ?? 1_000_000 });
  const out: { chunk: Chunk; last: boolean; part: boolean; whole: Buffer }[] = [];
  const result = { out, decoder, fault: 0, received: 0, unused: 0, calls: 0 };
  for (const piece of pieces) {
    result.received += piece.length;
    const take = (chunk: Chunk, last: boolean, part: boolean) => {
      out.push({ chunk, last, part, whole: piece });
      return options.stopEach === undefined || out.length % options.stopEach !== 0;
    };
    const sink = { chunk: (chunk: Chunk, last: boolean) => take(chunk, last, false), part: (chunk: Chunk) => take(chunk, false, true) };
    let at = 0;
    while (at < piece.length && !decoder.done) {
      const next = decoder.decode(piece, at, sink);
      result.calls += 1;
      if (next < 0) return { ...result, fault: next };
      // No progress would be a loop without end for whoever calls.
      if (next <= at) throw new Error(`stuck at ${at} of ${piece.length}`);
      at = next;
    }
    result.unused += piece.length - at;
  }
  return result;
}

const payloadOf = (out: { chunk: Chunk }[]) => Buffer.concat(out.flatMap(({ chunk }) => [...chunk.payloads]));

/** Another reading of the chunked coding, as plain as can be: whole text, one chunk after the other; null when it is not one. */
function plainly(wire: Buffer): { payload: Buffer; length: number } | null {
  const parts: Buffer[] = [];
  for (let at = 0; ;) {
    const lineEnd = wire.indexOf('\r\n', at, 'latin1');
    if (lineEnd === -1) return null;
    const size = Number.parseInt(wire.toString('latin1', at, lineEnd), 16);
    if (!(size >= 0)) return null;
    at = lineEnd + 2;
    if (size === 0) {
      const end = wire.indexOf('\r\n\r\n', lineEnd, 'latin1');
      return end === -1 ? null : { payload: Buffer.concat(parts), length: end + 4 };
    }
    parts.push(wire.subarray(at, at + size));
    at += size + 2;
  }
}

describe('the decoder of chunked bodies', () => {
  it('gives exactly the payload, in order, however the body is written and divided', () => {
    fc.assert(
      fc.property(bodies, cuts, fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }), (body, lengths, stopEach) => {
        const { payload, wire } = written(body);
        const { out, decoder, fault, unused } = run(divided(wire, lengths), { stopEach });
        expect([fault, decoder.done, unused]).toEqual([0, true, 0]);
        expect(payloadOf(out).equals(payload)).toBe(true);
        expect(out.every(({ chunk }) => chunk.size === chunk.payloads.reduce((sum, { byteLength }) => sum + byteLength, 0))).toBe(true);
        expect(out.slice(0, -1).some(({ last }) => last)).toBe(false);
      }),
      { numRuns: 150 },
    );
  });

  it('gives frames that any other decoder reads as the same bytes, the end included', () => {
    fc.assert(
      fc.property(bodies, cuts, (body, lengths) => {
        const { payload, wire } = written(body);
        const { out } = run(divided(wire, lengths));
        const ended = out.at(-1)?.last === true;
        const sent = out.map(({ chunk, last }) => Buffer.from(last ? chunk.framedFinal : chunk.framed));
        const all = Buffer.concat([...sent, ...(ended ? [] : [Buffer.from('0\r\n\r\n')])]);
        const read = plainly(all);
        expect([read?.length, read?.payload.equals(payload)]).toEqual([all.length, true]);
      }),
      { numRuns: 300 },
    );
  });

  it('shares what was received where whole plain chunks are a quarter of it and more, and pins at most four times the bytes otherwise', () => {
    fc.assert(
      fc.property(bodies, cuts, (body, lengths) => {
        for (const { chunk, part, whole } of run(divided(written(body).wire, lengths)).out) {
          const memory = part || chunk.payloads.length === 1 ? chunk.payloads[0].buffer : chunk.framed.buffer;
          const pinned = memory.byteLength;
          const most = Math.max(4096, 4 * (chunk.size + 13 * chunk.payloads.length + 5));
          if (pinned > most) throw new Error(`${chunk.size} bytes pin ${pinned}`);
          // One that is whole but for its CRLF is ended here, in memory of its own.
          const isEnded = !part && !whole.includes(Buffer.from(chunk.framed));
          if (!isEnded && (chunk.size * 4 >= whole.length || whole.length <= 4096) && memory !== whole.buffer) throw new Error('copied');
        }
      }),
      { numRuns: 300 },
    );
  });

  it('hands on a run of whole plain chunks as one', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 100 }), (plain) => {
        const chunks = plain.map((size) => ({ size, upper: false, zeros: 0, extension: '' }));
        const { wire } = written({ chunks, trailers: '', lastZeros: 0, fill: 0 });
        expect(run([wire]).out.map(({ last }) => last)).toEqual([true]);
      }),
    );
  });

  it('survives any change of a body: it never gives more than came, never throws and always goes forward', () => {
    const changes = fc.array(fc.record({ at: fc.nat(), kind: fc.constantFrom('set', 'insert', 'remove'), byte: fc.nat(255) }), {
      minLength: 1,
      maxLength: 5,
    });
    fc.assert(
      fc.property(bodies, changes, cuts, (body, edits, lengths) => {
        const bytes = [...written({ ...body, chunks: body.chunks.filter(({ size }) => size < 5000) }).wire];
        for (const { at, kind, byte } of edits) {
          const place = at % bytes.length;
          // Half of them hit the structure, where there is more to break.
          if (kind === 'set') bytes[place] = byte & 1 ? byte : '0123456789abcdef;\r\n -'.charCodeAt(byte % 21);
          else if (kind === 'insert') bytes.splice(place, 0, byte);
          else bytes.splice(place, 1);
        }
        const { out, received, fault, decoder } = run(divided(Buffer.from(bytes), lengths));
        expect(out.reduce((sum, { chunk }) => sum + chunk.size, 0)).toBeLessThanOrEqual(received);
        expect([0, -1, -2]).toContain(fault);
        expect(decoder.done && fault !== 0).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  it('survives anything at all', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 400 }), { maxLength: 8 }), (pieces) => {
        const { out, received } = run(pieces.map((piece) => Buffer.from(piece)));
        expect(out.reduce((sum, { chunk }) => sum + chunk.size, 0)).toBeLessThanOrEqual(received);
      }),
      { numRuns: 500 },
    );
  });

  it('takes what comes in one piece and what comes byte by byte for the same, good or bad', () => {
    fc.assert(
      fc.property(bodies, fc.nat(), fc.nat(255), (body, place, byte) => {
        const small = { ...body, chunks: body.chunks.filter(({ size }) => size < 200) };
        const bytes = written(small).wire;
        bytes[place % bytes.length] = byte;
        const [whole, single] = [[1_000_000], [1]].map((lengths) => run(divided(bytes, lengths)));
        expect([single.fault, single.decoder.done]).toEqual([whole.fault, whole.decoder.done]);
        expect(payloadOf(single.out).equals(payloadOf(whole.out))).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});
