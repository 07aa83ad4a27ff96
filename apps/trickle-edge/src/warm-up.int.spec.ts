import { describe, expect, it } from '@jest/globals';
import { warmUp } from './warm-up.ts';

describe('the warm-up', () => {
  it('relays segments for about as long as it is told', async () => {
    const startedMs = performance.now();
    expect(await warmUp({ ms: 300, signal: new AbortController().signal })).toBeGreaterThan(10);
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(300);
  }, 20_000);

  it('ends when it is stopped', async () => {
    const stop = new AbortController();
    const warming = warmUp({ ms: 30_000, signal: stop.signal });
    setTimeout(() => stop.abort(), 100);
    expect(await warming).toBeGreaterThanOrEqual(0);
  }, 20_000);
});
