import { describe, expect, it } from '@jest/globals';
import { Rate } from './rate.ts';

describe('a rate', () => {
  it('lets a burst through and refuses what is beyond it', () => {
    const rate = new Rate({ burst: 3, perSecond: 1 });
    expect([1, 2, 3, 4].map(() => rate.take(1000))).toEqual([true, true, true, false]);
  });

  it('grows back with time, and no further than the burst', () => {
    const rate = new Rate({ burst: 2, perSecond: 10 });
    rate.take(0);
    rate.take(0);
    expect(rate.take(0)).toBe(false);
    // One grows back in 100 ms; the refused one counts.
    expect(rate.take(100)).toBe(false);
    expect(rate.take(400)).toBe(true);
    expect([1, 2, 3].map(() => rate.take(100_000))).toEqual([true, true, false]);
  });

  it('does no harm when the clock stands still', () => {
    const rate = new Rate({ burst: 1, perSecond: 1000 });
    expect(rate.take(5)).toBe(true);
    expect(rate.take(5)).toBe(false);
  });
});
