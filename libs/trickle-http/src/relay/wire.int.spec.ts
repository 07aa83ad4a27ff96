import { afterEach, describe, expect, it } from '@jest/globals';
import type { RelayOptions } from '../index.ts';
import { eventually, WireBench } from '../testing/bench.ts';

let bench: WireBench;
async function setUp(options: RelayOptions = {}) {
  bench = new WireBench(options);
  return bench.start();
}
afterEach(() => bench.close());

const GET_0 = 'GET /trickle/c/0 HTTP/1.1\r\nHost: x\r\n\r\n';

describe('several requests on one connection', () => {
  it('in one packet are answered in order', async () => {
    await setUp({ creation: 'explicit' });
    await bench.put(0, 'held');
    const wire = await bench.wire();
    const post = 'POST /trickle/c/1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nnew\r\n0\r\n\r\n';
    wire.send(
      `${GET_0}GET /trickle/c/next HTTP/1.1\r\nHost: x\r\n\r\n${post}\r\nGET /trickle/c/1 HTTP/1.1\r\nHost: x\r\n\r\nDELETE /trickle/c HTTP/1.1\r\nHost: x\r\n\r\n`,
    );
    const answers = [];
    for (let count = 0; count < 5; count += 1) answers.push(await wire.answer());
    expect(answers.map(({ status, body }) => [status, body])).toEqual([
      [200, 'held'],
      [200, '1'],
      [200, ''],
      [200, 'new'],
      [200, ''],
    ]);
  });

  it('wait for a GET that waits: what comes after it is answered after it', async () => {
    await setUp();
    const wire = await bench.get(0);
    wire.send('GET /trickle/c/next HTTP/1.1\r\nHost: x\r\n\r\n');
    await bench.put(0, 'late');
    expect([(await wire.answer()).body, (await wire.answer()).body]).toEqual(['late', '1']);
  });

  it('follow a POST in the packet that ends its body, and one that ends empty is the last', async () => {
    await setUp();
    const wire = await bench.post(0);
    wire.send(
      '1\r\nx\r\n0\r\n\r\nPOST /trickle/c/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nyzPOST /trickle/c/2 HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n',
    );
    wire.request('GET', '/trickle/c/next');
    const seen = [await wire.answer(), await wire.answer(), await wire.answer()];
    expect(seen.map(({ headers }) => [headers['lp-trickle-seq'], headers.connection])).toEqual([
      ['0', undefined],
      ['1', undefined],
      ['2', 'close'],
    ]);
    expect([await wire.gone(), wire.text]).toEqual(['end', '']);
  });

  it('end with one that says close, which is answered', async () => {
    await setUp();
    await bench.put(0, 'held');
    const wire = await bench.wire();
    wire.request('GET', '/trickle/c/0', 'Connection: close\r\n');
    wire.request('GET', '/trickle/c/next');
    const { body, headers } = await wire.answer();
    expect([body, headers.connection, await wire.gone(), wire.text]).toEqual(['held', 'close', 'end', '']);
  });

  it('end with one that is malformed, and those before it are answered', async () => {
    await setUp();
    const wire = await bench.wire();
    wire.send(
      'GET /trickle/c/next HTTP/1.1\r\nHost: x\r\n\r\nGET /trickle/c/next HTTP/1.1\r\nHost : x\r\n\r\nGET /trickle/c/next HTTP/1.1\r\nHost: x\r\n\r\n',
    );
    expect([(await wire.answer()).status, (await wire.answer()).status]).toEqual([200, 400]);
    expect([await wire.gone(), wire.text, bench.relay.counters.malformed]).toEqual(['end', '', 1]);
  });

  it('may have empty lines before them', async () => {
    await setUp();
    const wire = await bench.wire();
    for (let count = 0; count < 3; count += 1) {
      wire.send('\r\n\r');
      await new Promise((resolve) => setTimeout(resolve, 5));
      wire.send('\nGET /trickle/c/next HTTP/1.1\r\nHost: x\r\n\r\n');
      expect((await wire.answer()).body).toBe('0');
    }
  });
});

describe('a request that comes in two pieces, wherever it is cut', () => {
  const request =
    'POST /trickle/c/-1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nA;x=y\r\n0123456789\r\n0\r\nT: r\r\n\r\n';

  it('is the same request', async () => {
    await setUp({ limits: { windowSegments: 200 } });
    for (let cut = 1; cut < request.length; cut += 1) {
      const wire = await bench.wire();
      wire.send(request.slice(0, cut));
      await new Promise((resolve) => setTimeout(resolve, 1));
      wire.send(request.slice(cut));
      const { status, headers } = await wire.answer();
      expect([cut, status, headers['lp-trickle-seq']]).toEqual([cut, 200, String(cut - 1)]);
      wire.close();
    }
    const bodies = await Promise.all(Array.from({ length: request.length - 1 }, (_, seq) => bench.ask('GET', `/trickle/c/${seq}`)));
    expect(new Set(bodies.map(({ body }) => body))).toEqual(new Set(['hello0123456789']));
  });

  it('is the same request byte by byte', async () => {
    await setUp();
    const wire = await bench.wire();
    for (const byte of request.split('')) {
      wire.send(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await wire.answer()).status).toBe(200);
    expect((await bench.ask('GET', '/trickle/c/0')).body).toBe('hello0123456789');
  });
});

describe('Expect: 100-continue', () => {
  it('is answered before the body', async () => {
    await setUp();
    const wire = await bench.wire();
    wire.request('POST', '/trickle/c/0', 'Content-Length: 4\r\nExpect: 100-continue\r\n');
    expect(await wire.has('\r\n\r\n')).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    wire.text = '';
    wire.send('body');
    expect((await wire.answer()).status).toBe(200);
  });

  it('is not answered where the request is refused', async () => {
    await setUp({ limits: { segmentBytes: 10 } });
    for (const [path, length, status] of [
      ['/trickle/nobody/0', 4, 404],
      ['/trickle/c/x', 4, 400],
      ['/trickle/c/0', 11, 413],
    ]) {
      const wire = await bench.wire();
      wire.request('POST', String(path), `Content-Length: ${length}\r\nExpect: 100-continue\r\n`);
      const answer = await wire.answer();
      expect([path, answer.status, answer.headers.connection]).toEqual([path, status, 'close']);
    }
  });

  it('is no interim answer to HTTP/1.0, nor is a POST that waits', async () => {
    const channel = await setUp({ continueIntervalMs: 1 });
    const wire = await bench.wire();
    wire.send('POST /trickle/c/0 HTTP/1.0\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n');
    await eventually(() => channel.writers === 1);
    await new Promise((resolve) => setTimeout(resolve, 1300));
    wire.send('ab');
    expect((await wire.has('\r\n\r\n')).startsWith('HTTP/1.1 200 OK')).toBe(true);
  });
});

describe('HTTP/1.0', () => {
  it('publishes with a length, and may stay', async () => {
    await setUp();
    const wire = await bench.wire();
    for (const seq of [0, 1]) {
      wire.send(`POST /trickle/c/${seq} HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nabc`);
      const { status, headers } = await wire.answer();
      expect([status, headers.connection]).toEqual([200, 'keep-alive']);
    }
    expect((await bench.ask('GET', '/trickle/c/1')).body).toBe('abc');
  });

  it('gets each arrival without chunks, in the order it came, and the end of the connection', async () => {
    const channel = await setUp();
    const reader = await bench.wire();
    reader.send('GET /trickle/c/0 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
    await eventually(() => channel.readers === 1);
    const writer = await bench.post(0);
    writer.send('2\r\nab\r\n3\r\ncde\r\n');
    await reader.has('\r\n\r\nabcde');
    writer.chunk('f'.repeat(100_000));
    writer.endBody();
    expect(await reader.gone()).toBe('end');
    const [head, body] = reader.text.split('\r\n\r\n');
    expect([head.includes('Transfer-Encoding'), body]).toEqual([false, `abcde${'f'.repeat(100_000)}`]);
  });

  it('is reset at a cut segment, as nothing else tells it from a whole one', async () => {
    const channel = await setUp();
    const reader = await bench.wire();
    reader.send('GET /trickle/c/0 HTTP/1.0\r\n\r\n');
    await eventually(() => channel.readers === 1);
    const writer = await bench.post(0);
    writer.chunk('half');
    await reader.has('half');
    writer.kill();
    expect(await reader.gone()).toBe('reset');
  });
});

describe('methods and paths that are not the relay’s', () => {
  it.each(['PUT', 'OPTIONS', 'PATCH', 'TRACE', 'HEAD'])('%s is 405 with Allow', async (method) => {
    await setUp();
    await bench.put(0, 'x');
    for (const [path, allow] of [
      ['/trickle/c/0', 'GET, POST, DELETE'],
      ['/trickle/c/next', 'GET'],
    ]) {
      const wire = await bench.wire();
      wire.request(method, path);
      const text = await wire.until(({ ended }) => ended !== null, 'end');
      expect(text.startsWith('HTTP/1.1 405 Method Not Allowed\r\n')).toBe(true);
      expect(text).toContain(`\r\nAllow: ${allow}\r\n`);
      // A client takes what follows the answer to a HEAD for another answer.
      if (method === 'HEAD') expect(text.endsWith('\r\n\r\n')).toBe(true);
    }
  });

  it.each(['*', 'example.com:443', '//trickle/c/0', '/trickle/../trickle/c/0', '/trickle/c//0', '/trickle/%63/0', '/trickle/c/0/x', '/'])(
    'are 404: %s',
    async (target) => {
      await setUp();
      await bench.put(0, 'x');
      expect((await bench.ask('GET', target)).status).toBe(404);
      expect((await bench.ask('GET', 'http://elsewhere/trickle/c/0')).body).toBe('x');
    },
  );

  it('with a body end the connection after their answer, and nobody takes the body for a request', async () => {
    await setUp();
    const wire = await bench.wire();
    const inner = 'DELETE /trickle/c HTTP/1.1\r\nHost: x\r\n\r\n';
    wire.send(`GET /trickle/c/next HTTP/1.1\r\nHost: x\r\nContent-Length: ${inner.length}\r\n\r\n${inner}`);
    const { body, headers } = await wire.answer();
    expect([body, headers.connection, await wire.gone(), bench.relay.hub.get('c')?.ended]).toEqual(['0', 'close', 'end', false]);
  });
});

describe('a body that is not what it says', () => {
  it.each([
    ['no size', 'x\r\n'],
    ['a size beyond 32 bits', 'fffffffff\r\n'],
    ['more bytes than it says', '2\r\nabc\r\n'],
    ['a bare LF', '2\nab\n'],
    ['a negative size', '-1\r\n'],
  ])('is 400, cuts its segment and ends the connection: %s', async (_name, bad) => {
    await setUp();
    const reader = await bench.get(0);
    const wire = await bench.post(0);
    wire.chunk('good');
    await reader.has('good');
    wire.send(`${bad}POST /trickle/c/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\ny`);
    expect((await wire.answer()).status).toBe(400);
    expect([await wire.gone(), await reader.gone(), bench.channel.nextWrite]).toEqual(['end', 'reset', 1]);
    expect([bench.relay.counters.malformed, bench.relay.hub.counters.cuts]).toEqual([1, 1]);
  });

  it('is a cut segment when it ends early, by an orderly end too, with a length too', async () => {
    const channel = await setUp();
    for (const [seq, headers, body] of [
      [0, 'Transfer-Encoding: chunked\r\n', '4\r\nhalf\r\n'],
      [1, 'Transfer-Encoding: chunked\r\n', '8\r\nhalf'],
      [2, 'Transfer-Encoding: chunked\r\n', '4\r\nhalf\r\n0\r\n'],
      [3, 'Content-Length: 8\r\n', 'half'],
    ] as const) {
      const wire = await bench.wire();
      wire.request('POST', `/trickle/c/${seq}`, headers);
      wire.send(body);
      await eventually(() => channel.nextWrite === seq + 1);
      wire.finish();
      await eventually(() => bench.relay.hub.counters.cuts === seq + 1);
      const reader = await bench.get(seq);
      expect([await reader.gone(), reader.text.includes('half'), /\r\n0\r\n/.test(reader.text)]).toEqual(['reset', true, false]);
    }
  });
});
