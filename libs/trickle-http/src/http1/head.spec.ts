import { describe, expect, it } from '@jest/globals';
import { parseHead } from './head.ts';

/** The head of lines, Latin-1, without the empty one at the end. */
const head = (...lines: string[]) => parseHead(lines.join('\r\n'));

/** A POST with one header line or several; what became of its body. */
function post(...lines: string[]) {
  const parsed = head('POST /c/0 HTTP/1.1', 'Host: x', ...lines);
  return 'status' in parsed ? parsed.status : parsed.body;
}

const status = (...lines: string[]) => {
  const parsed = head(...lines);
  return 'status' in parsed ? parsed.status : 'fine';
};

describe('heads that clients send', () => {
  const clients: Record<string, [lines: string[], expected: object]> = {
    'Go, POST of a stream': [
      [
        'POST /trickle/c/7 HTTP/1.1',
        'Host: 127.0.0.1:2939',
        'User-Agent: Go-http-client/1.1',
        'Transfer-Encoding: chunked',
        'Content-Type: video/MP2T',
        'Accept-Encoding: gzip',
      ],
      { method: 'POST', target: '/trickle/c/7', body: 'chunked', keepAlive: true, contentType: 'video/MP2T', expectContinue: false },
    ],
    'Go, DELETE': [
      ['DELETE /trickle/c HTTP/1.1', 'Host: a', 'User-Agent: Go-http-client/1.1', 'Accept-Encoding: gzip'],
      { method: 'DELETE', body: 0, keepAlive: true },
    ],
    'aiohttp, GET': [
      [
        'GET /trickle/c/-1 HTTP/1.1',
        'Host: edge:80',
        'Accept: */*',
        'Accept-Encoding: gzip, deflate',
        'User-Agent: Python/3.12 aiohttp/3.11.11',
        'Connection: close',
      ],
      { target: '/trickle/c/-1', keepAlive: false, body: 0 },
    ],
    'aiohttp, POST of a generator': [
      ['POST /c/0 HTTP/1.1', 'Host: e', 'Connection: close', 'Content-Type: application/octet-stream', 'Transfer-Encoding: chunked'],
      { body: 'chunked', keepAlive: false },
    ],
    'curl, upload of a file': [
      ['POST /c/0 HTTP/1.1', 'Host: e', 'User-Agent: curl/8.5.0', 'Accept: */*', 'Content-Length: 20000000', 'Expect: 100-continue'],
      { body: 20_000_000, expectContinue: true },
    ],
    undici: [
      ['POST /c/0 HTTP/1.1', 'host: 127.0.0.1:1', 'connection: keep-alive', 'transfer-encoding: chunked'],
      { body: 'chunked', keepAlive: true },
    ],
    'a client of HTTP/1.0': [['GET /c/0 HTTP/1.0'], { minor: 0, keepAlive: false, body: 0 }],
    'a client of HTTP/1.0 that stays': [['GET /c/0 HTTP/1.0', 'Connection: Keep-Alive'], { minor: 0, keepAlive: true }],
    'a proxy': [['GET http://edge.example:8080/c/0?x=1 HTTP/1.1', 'Host: edge.example:8080'], { target: '/c/0?x=1' }],
  };
  it.each(Object.entries(clients))('are taken: %s', (_name, [lines, expected]) => {
    expect(head(...lines)).toMatchObject(expected);
  });

  it('give the trickle headers, whatever the case of their names', () => {
    const parsed = head(
      'POST /c HTTP/1.1',
      'HOST: x',
      'EXPECT-CONTENT: application/json',
      'lp-trickle-RESET: 1',
      'Lp-Trickle-Via: a',
      'lp-trickle-via: b',
    );
    expect(parsed).toMatchObject({ expectContent: 'application/json', reset: true, via: 'a, b' });
    expect(head('POST /c/0 HTTP/1.1', 'Host: x', 'Lp-Trickle-Reset:')).toMatchObject({ reset: false });
  });

  it('give values without the space around them, and with every other byte as it is', () => {
    const parsed = head('POST /c HTTP/1.1', 'Host:x', 'Expect-Content: \t a\u00a0\u00e9\tb \t', 'Content-Type:');
    expect(parsed).toMatchObject({ expectContent: 'a\u00a0\u00e9\tb', contentType: '' });
  });
});

describe('the end of a body', () => {
  it('is told by one length or by chunked', () => {
    expect(post('Content-Length: 0')).toBe(0);
    expect(post('Content-Length: 12')).toBe(12);
    expect(post('Transfer-Encoding: Chunked')).toBe('chunked');
    expect(post()).toBe(0);
  });

  it.each([
    ['both', ['Content-Length: 3', 'Transfer-Encoding: chunked'], 400],
    ['both, the other way round', ['Transfer-Encoding: chunked', 'Content-Length: 3'], 400],
    ['two lengths', ['Content-Length: 3', 'Content-Length: 4'], 400],
    ['the same length twice', ['Content-Length: 3', 'Content-Length: 3'], 400],
    ['a list of lengths', ['Content-Length: 3, 3'], 400],
    ['a signed length', ['Content-Length: +3'], 400],
    ['a negative length', ['Content-Length: -1'], 400],
    ['a length in hexadecimal', ['Content-Length: 0x3'], 400],
    ['a length with a space', ['Content-Length: 1 2'], 400],
    ['no length', ['Content-Length:'], 400],
    ['a length beyond what a number holds', ['Content-Length: 99999999999999999999'], 400],
    ['gzip before chunked', ['Transfer-Encoding: gzip, chunked'], 501],
    ['chunked before gzip', ['Transfer-Encoding: chunked, gzip'], 501],
    ['chunked twice in one line', ['Transfer-Encoding: chunked, chunked'], 501],
    ['chunked twice in two', ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'], 501],
    ['identity', ['Transfer-Encoding: identity'], 501],
    ['nearly chunked', ['Transfer-Encoding: xchunked'], 501],
    ['chunked with a vertical tab', ['Transfer-Encoding: \vchunked'], 400],
    ['chunked with a no-break space', ['Transfer-Encoding: \u00a0chunked'], 501],
    ['chunked in quotes', ['Transfer-Encoding: "chunked"'], 501],
    ['space before the colon', ['Transfer-Encoding : chunked'], 400],
  ] as [string, string[], number][])('is not guessed: %s', (_name, lines, expected) => {
    expect(post(...lines)).toBe(expected);
  });

  it('is not told by chunked in HTTP/1.0', () => {
    expect(status('POST /c/0 HTTP/1.0', 'Transfer-Encoding: chunked')).toBe(400);
  });
});

describe('heads that are refused', () => {
  it.each([
    ['a folded line', 400, ['GET / HTTP/1.1', 'Host: x', ' folded']],
    ['a first header line that is folded', 400, ['GET / HTTP/1.1', ' Host: x']],
    ['a bare LF between lines', 400, ['GET / HTTP/1.1', 'Host: x\nX: y']],
    ['a bare LF behind the request line', 400, ['GET / HTTP/1.1\nHost: x']],
    ['a bare CR in a value', 400, ['GET / HTTP/1.1', 'Host: x', 'X: a\rb']],
    ['a bare CR at the end of a line', 400, ['GET / HTTP/1.1', 'Host: x\r', 'X: y']],
    ['NUL in a value', 400, ['GET / HTTP/1.1', 'Host: x', 'X: a\0b']],
    ['NUL in a name', 400, ['GET / HTTP/1.1', 'Host: x', 'X\0: a']],
    ['DEL in a value', 400, ['GET / HTTP/1.1', 'Host: x', 'X: \x7f']],
    ['space before the colon', 400, ['GET / HTTP/1.1', 'Host : x']],
    ['a line without a colon', 400, ['GET / HTTP/1.1', 'Host: x', 'nonsense']],
    ['a line without a name', 400, ['GET / HTTP/1.1', 'Host: x', ': y']],
    ['a name with 8 bits', 400, ['GET / HTTP/1.1', 'Host: x', 'X\u00e9: y']],
    ['no Host', 400, ['GET / HTTP/1.1']],
    ['two Hosts', 400, ['GET / HTTP/1.1', 'Host: x', 'host: x']],
    ['two Hosts in HTTP/1.0', 400, ['GET / HTTP/1.0', 'Host: x', 'Host: y']],
    ['HTTP/1.2', 505, ['GET / HTTP/1.2', 'Host: x']],
    ['HTTP/2.0', 505, ['GET / HTTP/2.0', 'Host: x']],
    ['the preface of HTTP/2', 505, ['PRI * HTTP/2.0']],
    ['HTTP/0.9', 400, ['GET /']],
    ['HTTP/11', 400, ['GET / HTTP/11', 'Host: x']],
    ['http/1.1', 400, ['GET / http/1.1', 'Host: x']],
    ['a method in lower case', 400, ['get / HTTP/1.1', 'Host: x']],
    ['two spaces', 400, ['GET  / HTTP/1.1', 'Host: x']],
    ['a tab for a space', 400, ['GET\t/ HTTP/1.1', 'Host: x']],
    ['a space behind the version', 400, ['GET / HTTP/1.1 ', 'Host: x']],
    ['a space in the target', 400, ['GET /a b HTTP/1.1', 'Host: x']],
    ['a target with 8 bits', 400, ['GET /\u00e9 HTTP/1.1', 'Host: x']],
    ['nothing', 400, ['']],
    ['an unknown expectation', 417, ['POST / HTTP/1.1', 'Host: x', 'Expect: 200-ok']],
  ] as [string, number, string[]][])('%s: %i', (_name, expected, lines) => {
    expect(status(...lines)).toBe(expected);
  });

  it('do not make those after them fail: nothing of a refused one is remembered', () => {
    for (let turn = 0; turn < 2; turn += 1) {
      expect(post('Content-Length: 1', 'Content-Length: 2')).toBe(400);
      expect(post('Content-Length: 1')).toBe(1);
    }
  });
});

describe('other forms of a target', () => {
  it.each([
    ['OPTIONS * HTTP/1.1', '*'],
    ['CONNECT edge:443 HTTP/1.1', 'edge:443'],
    ['GET http://edge HTTP/1.1', ''],
    ['GET HTTPS://user@edge:1/c HTTP/1.1', '/c'],
    ['GET //edge/c HTTP/1.1', '//edge/c'],
    ['GET ftp://edge/c HTTP/1.1', 'ftp://edge/c'],
  ])('are no path of their own: %s', (line, target) => {
    expect(head(line, 'Host: edge')).toMatchObject({ target });
  });
});

describe('long heads', () => {
  it('take time in proportion to their length, whatever they are made of', () => {
    const filler = 32_000;
    const lines = [
      `X:${' '.repeat(filler)}\0`,
      `X: a${' '.repeat(filler)}b`,
      `X: ${'a '.repeat(filler / 2)}\x7f`,
      `Connection: a${' '.repeat(filler)}b`,
      `Connection: ${','.repeat(filler)}`,
      'a'.repeat(filler),
      `Transfer-Encoding: ${' ,'.repeat(filler / 2)}`,
    ];
    const start = performance.now();
    for (const line of lines) head('POST /c/0 HTTP/1.1', 'Host: x', line);
    head(`${'A'.repeat(filler)} /`);
    head(`GET ${'/'.repeat(filler)}`);
    expect(performance.now() - start).toBeLessThan(2000);
  });

  it('that differ each time are each read for what they say, also when more came than are remembered', () => {
    for (let index = 0; index < 2000; index += 1) {
      const parsed = head('GET /c/0 HTTP/1.1', 'Host: x', `X-Request-Id: ${index}`, `Content-Type: t/${index}`);
      expect(parsed).toMatchObject({ contentType: `t/${index}` });
    }
  });
});
