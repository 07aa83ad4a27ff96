import { afterEach, describe, expect, it } from '@jest/globals';
import { eventually, WireBench } from '../testing/bench.ts';

let bench: WireBench;
afterEach(() => bench.close());

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';

describe('half a minute of nothing, by the real clock and the usual settings', () => {
  it('is survived by POSTs, with an interim answer every ten seconds, and by GETs, without one', async () => {
    bench = new WireBench();
    const channel = await bench.start();
    const posts = [await bench.post(0), await bench.post(1), await bench.post(-1)];
    const withLength = await bench.wire();
    withLength.request('POST', '/trickle/c/2', 'Content-Length: 4\r\n');
    await eventually(() => channel.writers === 4);
    const reader = await bench.get(0);
    const idle = await bench.wire();
    idle.request('GET', '/trickle/c/next');
    await idle.answer();
    await new Promise((resolve) => setTimeout(resolve, 31_500));
    for (const wire of [...posts, withLength]) {
      expect(wire.text.length / CONTINUE.length).toBeGreaterThanOrEqual(2);
      expect(wire.text.replaceAll(CONTINUE, '')).toBe('');
      wire.text = '';
    }
    expect([reader.text, idle.text, channel.nextWrite]).toEqual(['', '', 0]);
    for (const [index, wire] of posts.slice(0, 2).entries()) {
      wire.chunk(`late ${index}`);
      wire.endBody();
      expect((await wire.answer()).headers['lp-trickle-seq']).toBe(String(index));
    }
    withLength.send('four');
    expect((await withLength.answer()).headers['lp-trickle-seq']).toBe('2');
    posts[2].chunk('last');
    posts[2].endBody();
    expect((await posts[2].answer()).headers['lp-trickle-seq']).toBe('3');
    expect((await reader.answer()).body).toBe('late 0');
    idle.request('GET', '/trickle/c/2');
    expect((await idle.answer()).body).toBe('four');
  }, 60_000);
});
