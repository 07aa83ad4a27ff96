import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { duplexPair } from 'node:stream';
import { afterAll, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { parseHead } from './head.ts';

const server = createServer({ insecureHTTPParser: false, keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 });
server.on('clientError', (_error, socket) => void socket.destroy());
afterAll(() => void server.close());

/** What Node's own parser makes of a head: null when it refuses it. */
async function byNode(text: string): Promise<{ body: 'chunked' | number; keepAlive: boolean; target: string } | null> {
  const [client, end] = duplexPair();
  try {
    return await new Promise((resolve) => {
      const taken = (request: IncomingMessage, response: ServerResponse) => {
        const { headers } = request;
        const body = headers['transfer-encoding'] === undefined ? Number(headers['content-length'] ?? 0) : 'chunked';
        resolve({ body, keepAlive: response.shouldKeepAlive, target: request.url ?? '' });
      };
      server.on('request', taken).on('checkContinue', taken);
      // Refused: an answer without a request, or the end. Neither comes where the head was taken.
      client
        .on('data', () => resolve(null))
        .on('close', () => resolve(null))
        .on('error', () => resolve(null));
      server.emit('connection', end);
      client.write(`${text}\r\n\r\n`, 'latin1');
      // One that waits for more has not taken it either.
      setImmediate(() => setImmediate(() => setImmediate(() => resolve(null))));
    });
  } finally {
    server.removeAllListeners('request').removeAllListeners('checkContinue');
    client.destroy();
    end.destroy();
  }
}

const NASTY = [
  '\0',
  '\t',
  '\n',
  '\r',
  ' ',
  '\v',
  '\f',
  '\x7f',
  '\x80',
  '\u00a0',
  '\u00ff',
  ':',
  ',',
  ';',
  '"',
  '(',
  '/',
  '[',
  'é',
  '\x01',
  '\x1b',
];
const word = fc.stringMatching(/^[A-Za-z0-9-]{1,8}$/);
const lines = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(word, word).map(([name, value]) => `X-${name}: ${value}`) },
  {
    weight: 5,
    arbitrary: fc.constantFrom(
      'Content-Length: 5',
      'content-length:5',
      'Content-Length: 0',
      'Content-Length: +5',
      'Content-Length: 5,5',
      'Content-Length: ',
      'Content-Length:\t5 ',
      'Content-Length : 5',
      'Content-Length: 5 5',
      'Content-Length: 0x5',
      'Content-Length: 05',
      'Content-Length: 5\r',
      'Content_Length: 6',
      'Transfer-Encoding: chunked',
      'transfer-encoding:CHUNKED',
      'Transfer-Encoding: chunked ',
      'Transfer-Encoding: gzip, chunked',
      'Transfer-Encoding:',
      'Transfer-Encoding: chunked, gzip',
      'Transfer-Encoding: chunked, chunked',
      'Transfer-Encoding: identity',
      'Transfer-Encoding : chunked',
      'Transfer-Encoding\t: chunked',
      ' Transfer-Encoding: chunked',
      'Transfer-Encoding: chunked;q=1',
      'Transfer-Encoding: \vchunked',
      'Transfer-Encoding: xchunked',
      'Connection: close',
      'Connection: keep-alive',
      'connection: Keep-Alive, TE',
      'Connection: TE , close',
      'Connection: closed',
      'Connection:',
      'Expect: 100-continue',
      'Expect: 100-Continue',
      'Expect: something',
      'Host: other',
      ' folded',
      '\tfolded',
      'nothing',
      ': empty',
      'X:',
    ),
  },
);
const requestLines = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('POST /c/0 HTTP/1.1', 'GET /c/-1?a=b HTTP/1.1', 'DELETE /c HTTP/1.1') },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      'POST /c/0 HTTP/1.0',
      'GET http://h/c HTTP/1.1',
      'GET /c HTTP/1.2',
      'GET /c HTTP/2.0',
      'GET /c HTTP/0.9',
      'GET /c',
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'GET  /c HTTP/1.1',
      'GET /c  HTTP/1.1',
      'GET /c HTTP/1.1 ',
      ' GET /c HTTP/1.1',
      'get /c HTTP/1.1',
      'GET /c\tHTTP/1.1',
      'GET /c HTTP/1.10',
    ),
  },
);
const heads = fc
  .tuple(requestLines, fc.array(lines, { maxLength: 4 }), fc.constantFrom('Host: h', 'host:h', 'Host: h', 'X: y'), fc.nat(4), fc.boolean())
  .map(([first, others, host, place, separate]) => {
    const fields = others.toSpliced(place % (others.length + 1), 0, host);
    // Sometimes two lines with something else than CRLF between them.
    return `${first}\r\n${fields.join('\r\n')}${separate ? '' : '\r\nX-Last: 1'}`;
  });
/** The same with a byte changed here or there. */
const broken = fc
  .tuple(heads, fc.array(fc.tuple(fc.nat(), fc.constantFrom(...NASTY), fc.boolean()), { maxLength: 2 }))
  .map(([text, edits]) => edits.reduce((all, [at, byte, instead]) => spliced(all, at % (all.length + 1), instead ? 1 : 0, byte), text));

const spliced = (text: string, at: number, remove: number, insert: string) => text.slice(0, at) + insert + text.slice(at + remove);

describe('heads, beside the parser of Node', () => {
  it('that it refuses are refused, and those that both take end and go on in the same way', async () => {
    const seen = { both: 0, ours: 0, neither: 0 };
    await fc.assert(
      fc.asyncProperty(broken, async (text) => {
        // What the connection hands to the parser ends at the first empty line.
        const [head] = text.split('\r\n\r\n');
        const ours = parseHead(head);
        const node = await byNode(head);
        if (node === null) {
          seen.neither += 1;
          // What is no path is not found, whatever else Node finds wrong with it.
          if ('status' in ours || ours.target.startsWith('/')) expect(ours).toHaveProperty('status');
          return;
        }
        seen['status' in ours ? 'ours' : 'both'] += 1;
        if ('status' in ours) return;
        expect(ours.body).toBe(node.body);
        // Who asks for an end and for none gets an end from us, and may get none from Node.
        const both = /close/i.test(head) && /keep-alive/i.test(head);
        if (!both || ours.keepAlive) expect(ours.keepAlive).toBe(node.keepAlive);
        expect(ours.target).toBe(node.target.replace(/^https?:\/\/[^/?#]*/i, ''));
      }),
      { numRuns: 5000 },
    );
    // The comparison says nothing unless there are enough of each.
    expect(Math.min(seen.both, seen.neither)).toBeGreaterThan(300);
  });

  it('are refused beside it only where they are ambiguous to somebody', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(word, word), { maxLength: 8 }),
        fc.constantFrom('GET', 'POST', 'DELETE', 'PUT', 'HEAD'),
        async (fields, method) => {
          const text = [`${method} /trickle/c/0 HTTP/1.1`, 'Host: h', ...fields.map(([name, value]) => `X-${name}: ${value}`)].join('\r\n');
          expect(parseHead(text)).toMatchObject({ method, target: '/trickle/c/0', body: 0, keepAlive: true });
          expect(await byNode(text)).toMatchObject({ body: 0, keepAlive: true });
        },
      ),
    );
  });
});

describe('heads of anything', () => {
  it('are a request or a fault, and never throw', () => {
    const anything = fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
      fc
        .array(fc.constantFrom('GET ', '/', ' HTTP/1.1', '\r\n', 'Host: x', ': ', 'a', '\0', '\r', '\n', '\u00ff', 'Content-Length: 1'), {
          maxLength: 20,
        })
        .map((all) => all.join('')),
    );
    fc.assert(
      fc.property(anything, (text) => {
        const parsed = parseHead(text);
        if ('status' in parsed) expect([400, 417, 501, 505]).toContain(parsed.status);
        else expect(parsed.target).not.toMatch(/[^!-~]/);
      }),
      { numRuns: 2000 },
    );
  });

  it('are taken for the same the second time', () => {
    fc.assert(
      fc.property(broken, (text) => expect(parseHead(text)).toEqual(parseHead(text))),
      { numRuns: 500 },
    );
  });
});
