import { describe, expect, it } from '@jest/globals';
import { array, assert, integer, property } from 'fast-check';
import { ResponseReader } from './response-reader.mjs';

/** What a reader tells when the bytes come in pieces of the given sizes. */
function read(bytes: Buffer, sizes: number[] = []) {
  const told: { status: number; seq: number | null; body: string; ended: boolean }[] = [];
  const reader = new ResponseReader({
    head: ({ status, seq }: { status: number; seq: number | null }) => told.push({ status, seq, body: '', ended: false }),
    body: (buffer: Buffer, start: number, end: number) => (told.at(-1)!.body += buffer.toString('latin1', start, end)),
    end: () => (told.at(-1)!.ended = true),
  });
  let at = 0;
  for (const size of [...sizes, bytes.length]) {
    // A buffer that is used again at once, as that of the connections is.
    const piece = Buffer.from(bytes.subarray(at, at + size));
    reader.read(piece);
    piece.fill(0);
    at += size;
  }
  return told;
}

const answers = Buffer.from(
  [
    'HTTP/1.1 100 Continue\r\n\r\n',
    'HTTP/1.1 200 OK\r\nlp-trickle-seq: 7\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nA;x=y\r\n0123456789\r\n0\r\nTrailer: 1\r\n\r\n',
    'HTTP/1.1 470 Gone\r\nLp-Trickle-Seq: 8\r\nContent-Length: 3\r\n\r\nabc',
    'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 200 OK\r\n\r\nuntil it closes',
  ].join(''),
);

describe('the reader of responses', () => {
  it('reads bodies by chunks, by length, empty and until the connection closes', () => {
    expect(read(answers)).toEqual([
      { status: 200, seq: 7, body: 'hello0123456789', ended: true },
      { status: 470, seq: 8, body: 'abc', ended: true },
      { status: 200, seq: null, body: '', ended: true },
      { status: 200, seq: null, body: 'until it closes', ended: false },
    ]);
  });

  it('reads the same in whatever pieces the bytes come', () => {
    const whole = read(answers);
    assert(
      property(array(integer({ min: 1, max: 40 }), { maxLength: 60 }), (sizes) => {
        expect(read(answers, sizes)).toEqual(whole);
      }),
    );
  });

  it('throws at what is no response and no chunk', () => {
    const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
    for (const wrong of ['GET / HTTP/1.1\r\n\r\n', `${chunked}zz\r\n`, `${chunked}\r\n`, `${chunked}123456789A\r\n`]) {
      expect(() => read(Buffer.from(wrong))).toThrow();
    }
  });
});
