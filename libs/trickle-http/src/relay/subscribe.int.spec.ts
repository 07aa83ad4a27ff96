import { afterEach, describe, expect, it } from '@jest/globals';
import type { RelayOptions } from '../index.ts';
import { eventually, WireBench } from '../testing/bench.ts';

let bench: WireBench;
async function setUp(options: RelayOptions = {}) {
  bench = new WireBench(options);
  return bench.start();
}
afterEach(() => bench.close());

describe('GET of a segment on the wire', () => {
  it('sends nothing until the first byte, then headers and bytes together, then each arrival', async () => {
    await setUp();
    const reader = await bench.get(0);
    const writer = await bench.post(0);
    expect(reader.text).toBe('');
    writer.chunk('one');
    const head = await reader.has('one');
    expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(head).toContain('Lp-Trickle-Seq: 0\r\n');
    expect(head).toContain('Content-Type: video/MP2T\r\n');
    expect(head).not.toContain('Lp-Trickle-Latest');
    writer.chunk('two');
    await reader.has('two');
    writer.endBody();
    expect((await reader.answer()).body).toBe('onetwo');
  });

  it('tells who joins in the middle where the live edge is', async () => {
    await setUp();
    const writer = await bench.post(0);
    writer.chunk('12345');
    const reader = await bench.get(-2);
    const head = await reader.has('12345');
    expect(head).toContain('Lp-Trickle-Latest: 1\r\n');
    expect(head).toContain('Lp-Trickle-Size: 5\r\n');
    expect(head).toMatch(/Lp-Trickle-Age: \d+\r\n/);
  });

  it('waits at -1, gives the current one at -2 and those before at -3 and on', async () => {
    await setUp();
    for (const seq of [0, 1, 2]) await bench.put(seq, `s${seq}`);
    const bodies = await Promise.all([-2, -3, -4, -9].map(async (target) => (await bench.ask('GET', `/trickle/c/${target}`)).body));
    expect(bodies).toEqual(['s2', 's1', 's0', 's0']);
    const next = await bench.get(-1);
    await bench.put(3, 's3');
    expect((await next.answer()).headers['lp-trickle-seq']).toBe('3');
  });

  it('serves two preconnects of a fresh channel, 0 and 1, and no further', async () => {
    await setUp();
    const one = await bench.get(1);
    const zero = await bench.get(0);
    expect((await bench.ask('GET', '/trickle/c/2')).status).toBe(470);
    await bench.put(0, 'zero');
    await bench.put(1, 'one');
    expect([(await zero.answer()).body, (await one.answer()).body]).toEqual(['zero', 'one']);
  });

  it('answers 470 with the latest and the requested number outside the window', async () => {
    const channel = await setUp();
    for (let seq = 0; seq < 8; seq += 1) await bench.put(seq, 'x');
    channel.sweep(Date.now() + 5000);
    for (const seq of [0, 2, 9, 5000]) {
      const { status, headers } = await bench.ask('GET', `/trickle/c/${seq}`);
      expect([status, headers['lp-trickle-latest'], headers['lp-trickle-seq']]).toEqual([470, '8', String(seq)]);
    }
    expect((await bench.ask('GET', '/trickle/c/3')).status).toBe(200);
  });

  it('answers 404 `Stream not found` where there is no channel, and 400 to what is not a number', async () => {
    await setUp();
    const { status, body } = await bench.ask('GET', '/trickle/nobody/0');
    expect([status, body]).toEqual([404, 'Stream not found']);
    for (const seq of ['x', '01', '-0', '1.5', '99999999999999999']) expect((await bench.ask('GET', `/trickle/c/${seq}`)).status).toBe(400);
  });

  it('ends an empty answer when a waiting segment falls out of the window', async () => {
    const channel = await setUp();
    const waiting = await bench.get(1);
    for (const seq of [0, 2, 3, 4, 5, 6, 7]) await bench.put(seq, 'x');
    channel.sweep(Date.now() + 5000);
    const { status, body, headers } = await waiting.answer();
    expect([status, body, headers['lp-trickle-seq'], headers['lp-trickle-latest']]).toEqual([200, '', '1', '8']);
  });

  it('holds back nobody for a slow reader, and resets that reader when it falls out of the window', async () => {
    await setUp({ limits: { windowBytes: 8 * 1024 * 1024, segmentBytes: 8 * 1024 * 1024 } });
    const slow = await bench.get(0);
    slow.pause();
    const fast = await bench.get(0);
    const writer = await bench.post(0);
    const block = 'x'.repeat(64 * 1024);
    for (let count = 0; count < 120; count += 1) writer.chunk(block);
    writer.endBody();
    expect((await writer.answer()).status).toBe(200);
    expect((await fast.answer()).body.length).toBe(120 * block.length);
    for (let seq = 1; seq < 4; seq += 1) await bench.put(seq, 'y'.repeat(1024 * 1024));
    await eventually(() => bench.relay.hub.counters.readersLost === 1);
    slow.resume();
    expect(await slow.gone()).toBe('reset');
    expect(slow.text).not.toContain('\r\n0\r\n\r\n');
  });

  it('forgets a reader that went away', async () => {
    const channel = await setUp();
    const reader = await bench.get(0);
    expect(channel.readers).toBe(1);
    reader.kill();
    await eventually(() => channel.readers === 0);
    expect((await bench.put(0, 'x')).status).toBe(200);
  });

  it('serves several segments in turn on one connection, also when asked at once', async () => {
    await setUp();
    for (const seq of [0, 1]) await bench.put(seq, `s${seq}`);
    const wire = await bench.wire();
    wire.request('GET', '/trickle/c/0');
    wire.request('GET', '/trickle/c/1');
    expect([(await wire.answer()).body, (await wire.answer()).body]).toEqual(['s0', 's1']);
  });

  it('gives each of those who wait together its own head, and all the same bytes', async () => {
    const channel = await setUp();
    const wires = [];
    for (const headers of ['', 'Connection: close\r\n', '', 'Connection: close\r\n', '']) {
      const wire = await bench.wire();
      wire.request('GET', '/trickle/c/0', headers);
      wires.push(wire);
      await eventually(() => channel.readers === wires.length);
    }
    await bench.put(0, 'same');
    const answers = await Promise.all(wires.map((wire) => wire.answer()));
    expect(answers.map(({ body, headers }) => [body, headers.connection])).toEqual([
      ['same', undefined],
      ['same', 'close'],
      ['same', undefined],
      ['same', 'close'],
      ['same', undefined],
    ]);
  });

  it('leaves the connection of an HTTP/1.0 client without chunks', async () => {
    await setUp();
    await bench.put(0, 'plain');
    const wire = await bench.wire();
    wire.send('GET /trickle/c/0 HTTP/1.0\r\n\r\n');
    await wire.gone();
    expect(wire.text.endsWith('\r\n\r\nplain')).toBe(true);
  });
});
