import { afterEach, describe, expect, it } from '@jest/globals';
import type { RelayOptions } from '../index.ts';
import { eventually, WireBench } from '../testing/bench.ts';

let bench: WireBench;
async function setUp(options: RelayOptions = {}) {
  bench = new WireBench(options);
  return bench.start();
}
afterEach(() => bench.close());

describe('POST of a segment on the wire', () => {
  it('answers 200 with the sequence number, and keeps the connection', async () => {
    await setUp();
    const wire = await bench.wire();
    for (const seq of [0, 1]) {
      wire.post(`/trickle/c/${seq}`);
      wire.chunk('x');
      wire.endBody();
      const { status, headers } = await wire.answer();
      expect([status, headers['lp-trickle-seq'], headers.connection]).toEqual([200, String(seq), undefined]);
    }
  });

  it('changes nothing before the first byte: preconnects may come in any order', async () => {
    const channel = await setUp();
    const one = await bench.post(1);
    const zero = await bench.post(0);
    expect(channel.nextWrite).toBe(0);
    zero.chunk('zero');
    zero.endBody();
    await zero.answer();
    one.chunk('one');
    one.endBody();
    await one.answer();
    expect([(await bench.ask('GET', '/trickle/c/0')).body, (await bench.ask('GET', '/trickle/c/1')).body]).toEqual(['zero', 'one']);
  });

  it('ends a body without a byte with 200, closes the connection, and still moves the next write', async () => {
    await setUp();
    const reader = await bench.get(0);
    const wire = await bench.post(0);
    wire.endBody();
    const { status, headers } = await wire.answer();
    expect([status, headers['lp-trickle-seq'], headers.connection]).toEqual([200, '0', 'close']);
    expect(await wire.gone()).toBe('end');
    const seen = await reader.answer();
    expect([seen.status, seen.body, seen.headers['lp-trickle-seq'], seen.headers['lp-trickle-latest']]).toEqual([200, '', '0', '1']);
    expect((await bench.ask('GET', '/trickle/c/next')).body).toBe('1');
  });

  it('takes a body of known length too, also of none', async () => {
    await setUp();
    const wire = await bench.wire();
    wire.request('POST', '/trickle/c/0', 'Content-Length: 0\r\n');
    expect((await wire.answer()).status).toBe(200);
    const other = await bench.wire();
    other.request('POST', '/trickle/c/1', 'Content-Length: 3\r\n');
    other.send('abc');
    expect((await other.answer()).status).toBe(200);
    expect((await bench.ask('GET', '/trickle/c/1')).body).toBe('abc');
  });

  it('appends what is posted again, and a later GET reads it all', async () => {
    await setUp();
    for (const part of ['{"a":1}', '{"b":2}', '{"c":3}']) expect((await bench.put(0, part)).status).toBe(200);
    expect((await bench.ask('GET', '/trickle/c/0')).body).toBe('{"a":1}{"b":2}{"c":3}');
  });

  it('lets a second POST take over from one that has sent nothing: the older one ends with 200 and its connection', async () => {
    await setUp();
    const old = await bench.post(0);
    const young = await bench.post(0);
    const { status, headers } = await old.answer();
    expect([status, headers['lp-trickle-seq'], headers.connection]).toEqual([200, '0', 'close']);
    young.chunk('x');
    young.endBody();
    expect((await young.answer()).status).toBe(200);
    expect((await bench.ask('GET', '/trickle/c/0')).body).toBe('x');
  });

  it('loses nothing of a burst of POSTs to one number whose bytes come after all headers', async () => {
    await setUp();
    const wires = await Promise.all([1, 2, 3, 4, 5].map(() => bench.post(0)));
    for (const [index, wire] of wires.entries()) {
      wire.chunk(`<${index}>`);
      wire.endBody();
    }
    const answers = await Promise.all(wires.map((wire) => wire.answer()));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    const { body } = await bench.ask('GET', '/trickle/c/0');
    expect(body.match(/<\d>/g)?.sort()).toEqual(['<0>', '<1>', '<2>', '<3>', '<4>']);
  });

  it('gives several publishers at -1 a segment each and names it', async () => {
    await setUp();
    const wires = [await bench.post(-1), await bench.post(-1), await bench.post(-1)];
    const answers = [];
    for (const [index, wire] of wires.entries()) {
      wire.chunk(`p${index}`);
      wire.endBody();
      answers.push(await wire.answer());
    }
    expect(answers.map(({ headers }) => headers['lp-trickle-seq'])).toEqual(['0', '1', '2']);
    const bodies = await Promise.all([0, 1, 2].map(async (seq) => (await bench.ask('GET', `/trickle/c/${seq}`)).body));
    expect(bodies).toEqual(['p0', 'p1', 'p2']);
  });

  it('closes older segments at Lp-Trickle-Reset, and what they hold stays readable', async () => {
    await setUp();
    const hanging = await bench.post(0);
    hanging.chunk('held');
    const reader = await bench.get(0);
    await reader.has('held');
    await bench.post(1, 'Lp-Trickle-Reset: 1\r\n');
    expect((await reader.answer()).body).toBe('held');
    expect((await bench.ask('GET', '/trickle/c/0')).body).toBe('held');
  });

  it('sends 100 Continue from time to time to a POST that waits, and none once it has begun', async () => {
    await setUp({ continueIntervalMs: 1 });
    const wire = await bench.post(0);
    await wire.until(({ text }) => text.split('HTTP/1.1 100 Continue\r\n\r\n').length > 2, 'two 100 Continue');
    wire.chunk('x');
    wire.endBody();
    await wire.has('HTTP/1.1 200 OK');
    expect(bench.relay.hub.get('c')!.nextWrite).toBe(1);
  });

  it('refuses numbers that are not canonical or out of reach with 400 and closes', async () => {
    await setUp();
    const wrong = ['-2', '-3', '01', '+1', '1.0', '1e2', '0x1', 'abc', '9007199254740992', '9007199254740991', '100000', '%31'];
    for (const seq of wrong) {
      const { status, headers } = await bench.ask('POST', `/trickle/c/${seq}`, 'Transfer-Encoding: chunked\r\n');
      expect([seq, status, headers.connection]).toEqual([seq, 400, 'close']);
    }
    expect((await bench.ask('GET', '/trickle/c/next')).body).toBe('0');
  });

  it('answers 404 and closes where there is no channel, at once and without waiting for the body', async () => {
    await setUp();
    const wire = await bench.wire();
    wire.post('/trickle/nobody/0');
    const { status, headers, body } = await wire.answer();
    expect([status, headers.connection, body]).toEqual([404, 'close', 'Stream not found']);
  });

  it('answers 413 to a segment that is too large, and its readers see it cut', async () => {
    await setUp({ limits: { segmentBytes: 10 } });
    const reader = await bench.get(0);
    const wire = await bench.post(0);
    wire.chunk('12345678');
    await reader.has('12345678');
    wire.chunk('9abc');
    expect((await wire.answer()).status).toBe(413);
    expect(await reader.gone()).toBe('reset');
  });

  it('makes the channel at the first POST where auto-create is on, with its Content-Type', async () => {
    await setUp({ creation: 'auto' });
    const wire = await bench.wire();
    wire.post('/trickle/fresh/0');
    wire.chunk('x');
    wire.endBody();
    expect((await wire.answer()).status).toBe(200);
    expect((await bench.ask('GET', '/trickle/fresh/0')).headers['content-type']).toBe('video/MP2T');
  });
});

describe('a publisher that dies on the wire', () => {
  it('in the middle: readers see a reset and no final chunk, after all that came', async () => {
    await setUp();
    const reader = await bench.get(0);
    const wire = await bench.post(0);
    wire.chunk('half');
    await reader.has('half');
    wire.kill();
    expect(await reader.gone()).toBe('reset');
    expect(reader.text.endsWith('4\r\nhalf\r\n')).toBe(true);
    expect(bench.relay.hub.counters.cuts).toBe(1);
  });

  it('in the middle: who reads later gets the same, also after an orderly end of the connection', async () => {
    const channel = await setUp();
    const wire = await bench.post(0);
    wire.chunk('half');
    await eventually(() => channel.nextWrite === 1);
    wire.close();
    await eventually(() => bench.relay.hub.counters.cuts === 1);
    const reader = await bench.get(0);
    expect([await reader.gone(), reader.text.includes('4\r\nhalf\r\n'), reader.text.includes('0\r\n\r\n')]).toEqual(['reset', true, false]);
  });

  it('before its first byte: the next try of the same number succeeds, and the reader goes on waiting', async () => {
    const channel = await setUp();
    const reader = await bench.get(0);
    const dead = await bench.post(0);
    dead.kill();
    await eventually(() => channel.writers === 0);
    await bench.put(0, 'again');
    expect((await reader.answer()).body).toBe('again');
  });
});
