import { afterEach, describe, expect, it } from '@jest/globals';
import type { RelayOptions } from '../index.ts';
import { eventually, WireBench } from '../testing/bench.ts';

let bench: WireBench;
/** Time that the relay's clock is ahead of ours, so that its deadlines come at once. */
let aheadMs = 0;
async function setUp(options: RelayOptions = {}) {
  aheadMs = 0;
  bench = new WireBench({ clock: () => Date.now() + aheadMs, ...options });
  return bench.start();
}
afterEach(() => bench.close());

/** Long enough for what was sent to be read. */
const pause = () => new Promise((resolve) => setTimeout(resolve, 60));

describe('two POSTs to one segment', () => {
  it('never mix inside a chunk, however slowly it comes', async () => {
    await setUp();
    const reader = await bench.get(0);
    const one = await bench.post(0);
    const two = await bench.post(0);
    one.send('8\r\naaaa');
    await reader.has('aaaa');
    two.chunk('BBBB');
    two.endBody();
    await pause();
    one.send('aaaa\r\n');
    expect((await two.answer()).status).toBe(200);
    one.chunk('aa');
    one.endBody();
    expect((await one.answer()).status).toBe(200);
    expect((await reader.answer()).body).toBe('aaaaaaaaBBBBaa');
  });

  it('go on when the one in the middle of a chunk dies, and the segment is cut', async () => {
    await setUp();
    const reader = await bench.get(0);
    const one = await bench.post(0);
    const two = await bench.post(0);
    one.send('8\r\naaaa');
    await reader.has('aaaa');
    two.chunk('BBBB');
    two.endBody();
    await pause();
    one.kill();
    expect((await two.answer()).status).toBe(200);
    // Its chunk cannot be ended on this connection: what another one writes behind it has no place there.
    expect([await reader.gone(), reader.text.endsWith('8\r\naaaa')]).toEqual(['reset', true]);
  });

  it('do not wait for ever for one that stalls in a chunk: it is 408 after the time between two bytes', async () => {
    await setUp({ bounds: { interByteMs: 100_000 } });
    const one = await bench.post(0);
    const two = await bench.post(0);
    one.send('8\r\naaaa');
    await eventually(() => bench.channel.nextWrite === 1);
    two.chunk('BBBB');
    two.endBody();
    await pause();
    aheadMs = 150_000;
    expect((await one.answer()).status).toBe(408);
    expect((await two.answer()).status).toBe(200);
    expect([bench.relay.counters.bodyTimeouts, bench.relay.hub.counters.cuts]).toEqual([1, 1]);
  });

  it('lose nothing that was answered with 200 when a third comes while the second waits for the first one’s chunk', async () => {
    await setUp({ continueIntervalMs: 1_000_000 });
    const [one, two] = [await bench.post(0), await bench.post(0)];
    one.send('8\r\naaaa');
    await eventually(() => bench.channel.nextWrite === 1);
    two.chunk('BBBB');
    two.endBody();
    const three = await bench.post(0);
    three.chunk('CCCC');
    three.endBody();
    // Far beyond the takeover grace.
    aheadMs = 10_000;
    await new Promise((resolve) => setTimeout(resolve, 600));
    one.send('aaaa\r\n');
    one.endBody();
    const answers = await Promise.all([one, two, three].map((wire) => wire.answer()));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    const { body } = await bench.ask('GET', '/trickle/c/0');
    expect([body.slice(0, 8), body.length, body.includes('BBBB'), body.includes('CCCC')]).toEqual(['aaaaaaaa', 16, true, true]);
  });

  it('in turns, chunk by chunk and cut anywhere, give every chunk whole and each one’s in its order', async () => {
    await setUp();
    const wires = [await bench.post(0), await bench.post(0), await bench.post(0)];
    const queues = wires.map((_, who) => {
      const letter = 'abc'[who];
      const text = Array.from({ length: 40 }, (_unused, index) => {
        const body = `<${letter}${index}${'.'.repeat(index * 7)}>`;
        return `${body.length.toString(16)}\r\n${body}\r\n`;
      });
      return text.join('');
    });
    for (let turn = 0; queues.some((queue) => queue !== ''); turn += 1) {
      const who = turn % 3;
      const length = 1 + ((turn * 37) % 211);
      wires[who].send(queues[who].slice(0, length));
      queues[who] = queues[who].slice(length);
      await new Promise((resolve) => setImmediate(resolve));
    }
    for (const wire of wires) wire.endBody();
    const answers = await Promise.all(wires.map((wire) => wire.answer()));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    const { body } = await bench.ask('GET', '/trickle/c/0');
    const seen = body.match(/<[abc]\d+\.*>/g)!;
    expect(seen.join('')).toBe(body);
    for (const letter of 'abc'.split('')) {
      const own = seen.filter((piece) => piece[1] === letter).map((piece) => Number.parseInt(piece.slice(2), 10));
      expect(own).toEqual(Array.from({ length: 40 }, (_, index) => index));
    }
  });
});

describe('publishers at -1', () => {
  it('that begin at the same moment get a segment each, whole', async () => {
    await setUp();
    const wires = await Promise.all(Array.from({ length: 20 }, () => bench.post(-1)));
    await eventually(() => bench.channel.writers === 20);
    for (const [index, wire] of wires.entries()) wire.send(`6\r\n<${String(index).padStart(2, '0')}`);
    await pause();
    for (const wire of wires) wire.send('..>\r\n0\r\n\r\n');
    const answers = await Promise.all(wires.map((wire) => wire.answer()));
    expect(answers.map(({ headers }) => Number(headers['lp-trickle-seq'])).sort((a, b) => a - b)).toEqual(wires.map((_, index) => index));
    for (const [index, { headers }] of answers.entries()) {
      expect((await bench.ask('GET', `/trickle/c/${headers['lp-trickle-seq']}`)).body).toBe(`<${String(index).padStart(2, '0')}..>`);
    }
  });

  it('that end empty take a number each too, and one that dies before its first byte takes none', async () => {
    await setUp();
    const dead = await bench.post(-1);
    dead.kill();
    await eventually(() => bench.channel.writers === 0);
    const empty = await bench.post(-1);
    empty.endBody();
    const { headers } = await empty.answer();
    expect([headers['lp-trickle-seq'], headers.connection]).toEqual(['0', 'close']);
    const wire = await bench.wire();
    wire.request('POST', '/trickle/c/-1', 'Content-Length: 0\r\n');
    expect((await wire.answer()).headers['lp-trickle-seq']).toBe('1');
  });
});

describe('preconnects', () => {
  it.each([
    ['the GET first', 'get'],
    ['the POST first', 'post'],
  ])('meet in either order, both one ahead: %s', async (_name, first) => {
    await setUp();
    const open = { get: async (seq: number) => bench.get(seq), post: async (seq: number) => bench.post(seq) };
    const order = first === 'get' ? (['get', 'post'] as const) : (['post', 'get'] as const);
    const wires: Record<string, Awaited<ReturnType<WireBench['get']>>> = {};
    for (const seq of [0, 1]) for (const kind of order) wires[`${kind}${seq}`] = await open[kind](seq);
    expect(bench.channel.nextWrite).toBe(0);
    for (const seq of [0, 1]) {
      wires[`post${seq}`].chunk(`segment ${seq}`);
      wires[`post${seq}`].endBody();
      expect((await wires[`post${seq}`].answer()).status).toBe(200);
      const { body, headers } = await wires[`get${seq}`].answer();
      expect([body, headers['lp-trickle-seq']]).toEqual([`segment ${seq}`, String(seq)]);
    }
  });

  it('of many segments ahead wait, and take their bytes in whatever order they come', async () => {
    await setUp();
    const wires = [];
    for (const seq of [4, 2, 0, 3, 1]) wires.push({ seq, wire: await bench.post(seq) });
    for (const { seq, wire } of wires.toReversed()) {
      wire.chunk(`s${seq}`);
      wire.endBody();
      expect((await wire.answer()).headers['lp-trickle-seq']).toBe(String(seq));
    }
    expect(bench.channel.nextWrite).toBe(5);
    for (const { seq } of wires) expect((await bench.ask('GET', `/trickle/c/${seq}`)).body).toBe(`s${seq}`);
  });

  it('on a segment that is reset away are answered 200 and end', async () => {
    await setUp();
    const waiting = await bench.post(1);
    (await bench.wire()).post('/trickle/c/3', 'Lp-Trickle-Reset: now\r\n');
    const { status, headers } = await waiting.answer();
    expect([status, headers['lp-trickle-seq'], headers.connection]).toEqual([200, '1', 'close']);
  });

  it('and writers in the middle are released when the channel ends, and readers in the middle of a chunk learn that it is cut', async () => {
    await setUp();
    const [waiting, anyone] = [await bench.post(1), await bench.post(-1)];
    const middle = await bench.post(0);
    middle.send('8\r\nhalf');
    const [reader, ahead] = [await bench.get(0), await bench.get(1)];
    await reader.has('half');
    expect((await bench.ask('DELETE', '/trickle/c')).status).toBe(200);
    for (const wire of [waiting, anyone, middle]) {
      const { status, headers } = await wire.answer();
      expect([status, headers['lp-trickle-closed'], headers.connection]).toEqual([200, 'terminated', 'close']);
      expect(await wire.gone()).toBe('end');
    }
    const next = await ahead.answer();
    expect([next.status, next.body, next.headers['lp-trickle-closed']]).toEqual([200, '', 'terminated']);
    expect([await reader.gone(), reader.text.endsWith('8\r\nhalf')]).toEqual(['reset', true]);
    expect([(await bench.ask('GET', '/trickle/c/0')).status, (await bench.ask('POST', '/trickle/c/1')).status]).toEqual([404, 404]);
  });
});

describe('a POST to a segment that is closed', () => {
  it('by its own end or by DELETE appends, and readers who come later get it all', async () => {
    await setUp();
    await bench.put(0, 'one ');
    expect((await bench.put(0, 'two ')).status).toBe(200);
    expect((await bench.ask('DELETE', '/trickle/c/0')).status).toBe(200);
    expect((await bench.put(0, 'three')).status).toBe(200);
    expect((await bench.ask('GET', '/trickle/c/0')).body).toBe('one two three');
  });

  it('that left the window is 400 out of reach, and one that leaves it while it is written is 470', async () => {
    await setUp({ limits: { windowAgeMs: 0, windowSegments: 2 } });
    const late = await bench.post(0);
    late.chunk('begun');
    await eventually(() => bench.channel.nextWrite === 1);
    for (let seq = 1; seq < 6; seq += 1) {
      aheadMs += 10;
      await bench.put(seq, 'x');
    }
    const { status, headers } = await late.answer();
    expect([status, headers['lp-trickle-seq'], headers['lp-trickle-latest'], headers.connection]).toEqual([470, '0', '3', 'close']);
    expect((await bench.ask('POST', '/trickle/c/0')).status).toBe(400);
  });
});
