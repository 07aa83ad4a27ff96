import { describe, expect, it } from '@jest/globals';
import { OriginBackoff } from './origin-backoff.ts';

describe('the back-off of an upstream edge', () => {
  it('doubles from 100 ms to 5 s, counts failures that come together once, and ends with an answer', () => {
    let nowMs = 0;
    const backoff = new OriginBackoff(() => nowMs);
    const isOpen = () => {
      try {
        backoff.check('http://a');
        return true;
      } catch {
        return false;
      }
    };
    const pauses: number[] = [];
    for (let round = 0; round < 8; round += 1) {
      backoff.failed('http://a');
      backoff.failed('http://a');
      const fromMs = nowMs;
      while (!isOpen()) nowMs += 50;
      pauses.push(nowMs - fromMs);
    }
    expect(pauses).toEqual([100, 200, 400, 800, 1600, 3200, 5000, 5000]);
    backoff.failed('http://a');
    backoff.check('http://b');
    expect(isOpen()).toBe(false);
    backoff.answered('http://a');
    expect(isOpen()).toBe(true);
  });
});
