import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { EventLoopMonitor } from './event-loop.ts';

describe('EventLoopMonitor', () => {
  it('sees a blocked event loop, does not take its own pace for a delay, and forgets what is long ago', async () => {
    const monitor = new EventLoopMonitor({ intervalMs: 300 });
    await sleep(150);
    expect(monitor.delay.p50).toBeLessThan(15);
    const until = performance.now() + 400;
    while (performance.now() < until);
    await sleep(50);
    expect(monitor.delay.max).toBeGreaterThan(250);
    for (let waited = 0; monitor.delay.max > 250 && waited < 10_000; waited += 100) await sleep(100);
    expect(monitor.delay.max).toBeLessThan(250);
    monitor.close();
    monitor.close();
  });
});
