import { describe, expect, it } from '@jest/globals';
import { CONTINUE, LAST_CHUNK, shortAnswerText, streamHeadText } from './answers.ts';

const date = 'Sat, 21 Nov 2026 15:00:00 GMT';
const framing = { minor: 1, keepAlive: true, date } as const;

describe('a short answer', () => {
  it('has a length, and a type where it has a body', () => {
    expect(shortAnswerText({ status: 200, body: '' }, framing)).toBe(`HTTP/1.1 200 OK\r\nDate: ${date}\r\nContent-Length: 0\r\n\r\n`);
    expect(shortAnswerText({ status: 404, body: 'Stream not found' }, framing)).toBe(
      `HTTP/1.1 404 Not Found\r\nDate: ${date}\r\nContent-Length: 16\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nStream not found`,
    );
    expect(shortAnswerText({ status: 200, body: '{}', contentType: 'application/json' }, framing)).toContain(
      'Content-Type: application/json\r\n',
    );
  });

  it('counts bytes, not characters', () => {
    const text = shortAnswerText({ status: 400, body: 'é€' }, framing);
    expect([text.includes('Content-Length: 5\r\n'), Buffer.from(text, 'latin1').subarray(-5).toString('utf8')]).toEqual([true, 'é€']);
  });

  it('has its headers, and a reason also for 470 and for what has none', () => {
    expect(shortAnswerText({ status: 470, body: '', headers: { 'Lp-Trickle-Latest': 7 } }, framing)).toMatch(
      /^HTTP\/1\.1 470 Segment Gone\r\n[^]*Lp-Trickle-Latest: 7\r\n/,
    );
    expect(shortAnswerText({ status: 599, body: '' }, framing)).toContain('HTTP/1.1 599 Unknown\r\n');
  });
});

describe('how the connection goes on', () => {
  it.each([
    [1, true, null],
    [1, false, 'close'],
    [0, true, 'keep-alive'],
    [0, false, 'close'],
  ] as const)('after HTTP/1.%i, keep-alive %s, is told by Connection: %s', (minor, keepAlive, expected) => {
    for (const text of [
      shortAnswerText({ status: 200, body: '' }, { ...framing, minor, keepAlive }),
      streamHeadText([], { ...framing, minor, keepAlive }),
    ]) {
      expect(/\r\nConnection: ([^\r]*)\r\n/.exec(text)?.[1] ?? null).toBe(expected);
    }
  });
});

describe('the head of a stream', () => {
  it('is chunked, but not for HTTP/1.0', () => {
    const headers = [['Lp-Trickle-Seq', 3]] as const;
    expect(streamHeadText(headers, framing)).toBe(
      `HTTP/1.1 200 OK\r\nDate: ${date}\r\nLp-Trickle-Seq: 3\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    expect(streamHeadText(headers, { ...framing, minor: 0 })).not.toContain('Transfer-Encoding');
  });
});

describe('what is always the same', () => {
  it('is an interim answer without headers and a last chunk without trailers', () => {
    expect([CONTINUE, LAST_CHUNK.toString('latin1')]).toEqual(['HTTP/1.1 100 Continue\r\n\r\n', '0\r\n\r\n']);
  });
});
