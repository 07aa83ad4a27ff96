import { afterEach, describe, expect, it } from '@jest/globals';
import { constants } from 'node:http2';
import type { RelayOptions } from '../index.ts';
import { eventually } from '../testing/bench.ts';
import { data, FLAG, type Frame, FRAME, type Http2Wire, literal, request, reset } from '../testing/http2-wire.ts';
import { TlsBench } from '../testing/tls-bench.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  while (cleanups.length > 0) await cleanups.pop()!();
});

async function setUp(options: RelayOptions = {}) {
  const bench = await TlsBench.start(options);
  cleanups.push(() => bench.close());
  const { channel, relay } = bench;
  return { bench, channel, relay, client: () => bench.client(), wire: () => bench.wire() };
}

/** Sends rows of frames until the connection ends; returns the code of its GOAWAY. */
async function flood(wire: Http2Wire, row: (index: number) => Frame[]): Promise<number> {
  for (let index = 0; index < 2000 && !wire.ended; index += 1) {
    wire.send(...row(index));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await wire.until(() => wire.ended, 'end of the connection');
  return wire.of(FRAME.goaway).at(-1)?.payload.readUInt32BE(4) ?? -1;
}

const rowOf = (frame: Frame) => () => Array.from({ length: 50 }, () => frame);
const control = (type: number, bytes: number): Frame => ({ type, flags: 0, stream: 0, payload: Buffer.alloc(bytes) });

describe('a flood on an HTTP/2 connection', () => {
  it.each([
    ['PING', rowOf(control(FRAME.ping, 8))],
    ['SETTINGS', rowOf(control(FRAME.settings, 0))],
    ['empty DATA', (index: number) => (index === 0 ? [request(1, 'POST', '/trickle/c/0')] : rowOf(data(1, ''))())],
    [
      'requests that are reset at once (CVE-2023-44487)',
      (index: number) =>
        Array.from({ length: 50 }, (_, at) => 1 + 2 * (index * 50 + at)).flatMap((stream) => [
          request(stream, 'GET', '/trickle/c/0', { endStream: true }),
          reset(stream, constants.NGHTTP2_CANCEL),
        ]),
    ],
    [
      'CONTINUATION (VU#421644)',
      (index: number): Frame[] =>
        index === 0
          ? [{ ...request(1, 'GET', '/trickle/c/0'), flags: FLAG.endStream }]
          : [{ type: FRAME.continuation, flags: 0, stream: 1, payload: literal(`x-${index}`, 'y') }],
    ],
  ])('of %s ends that connection, and no other', async (_name, row) => {
    const { relay, channel, client, wire } = await setUp();
    const bystander = client();
    const get = bystander.ask('GET', 'c/0');
    await eventually(() => channel.readers === 1);
    const code = await flood(await wire(), row);
    expect(code).not.toBe(constants.NGHTTP2_NO_ERROR);
    await eventually(() => relay.http2Counters.violations >= 1);
    expect(await bystander.put('c/0', 'x')).toMatchObject({ status: 200 });
    expect(await get.done()).toMatchObject({ body: 'x', whole: true });
    await eventually(() => channel.readers === 0 && channel.writers === 0 && relay.http2Streams === 0);
  });

  it('of refusals ends it when the client does not heed the bound', async () => {
    const { wire } = await setUp({ http2: { maxStreamsPerConnection: 2 } });
    const code = await flood(await wire(), (index) =>
      Array.from({ length: 50 }, (_, at) => request(1 + 2 * (index * 50 + at), 'GET', '/trickle/c/0', { endStream: true })),
    );
    expect(code).not.toBe(constants.NGHTTP2_NO_ERROR);
  });

  it('does not begin with what a lively client sends', async () => {
    const { relay, wire } = await setUp();
    const lively = await wire();
    for (let index = 0; index < 10; index += 1) lively.send(...rowOf(control(FRAME.ping, 8))());
    await lively.until((seen) => seen.of(FRAME.ping).length === 500, 'answers');
    expect(relay.http2Counters.violations).toBe(0);
  });
});
