import { describe, expect, it } from '@jest/globals';
import { highest, nextRate, passed } from './ladder.mjs';

/** The rates that a server is asked for which carries everything up to `limit`. */
function climb({ from, limit, most = 50 }: { from: number; limit: number; most?: number }) {
  const steps: { rate: number; passed: boolean }[] = [];
  for (let rate = nextRate(steps, { from, most }); rate !== null; rate = nextRate(steps, { from, most })) {
    steps.push({ rate, passed: rate <= limit });
  }
  return steps;
}

describe('the ladder of the overload', () => {
  it('ends at a rate that failed three times, less than 12 % above the best that passed', () => {
    const steps = climb({ from: 4000, limit: 9000 });
    expect(highest(steps)!.rate).toBeLessThanOrEqual(9000);
    expect(highest(steps)!.rate).toBeGreaterThan(9000 / 1.13);
    expect(steps.filter((step) => !step.passed).map(({ rate }) => rate)).toEqual([9_000, 9_000, 9_000].map(() => steps.at(-1)!.rate));
  });

  it('goes down to find a server that does not carry the first rate, and up again from there', () => {
    const { rate } = highest(climb({ from: 4000, limit: 1500 }))!;
    expect(rate).toBeLessThanOrEqual(1500);
    expect(rate).toBeGreaterThan(1500 / 1.13);
  });

  it('goes on after a step that a stall has spoilt', () => {
    expect(nextRate([{ rate: 1000, passed: false }], { from: 1000, most: 50 })).toBe(1000);
    const steps = [false, false, true].map((passed) => ({ rate: 1000, passed }));
    expect(nextRate(steps, { from: 1000, most: 50 })).toBe(1120);
  });

  it('always ends', () => {
    expect(climb({ from: 4000, limit: Infinity, most: 12 })).toHaveLength(12);
    expect(highest(climb({ from: 4000, limit: 0 }))).toBeNull();
  });

  it('wants 99 of 100 within 50 ms, 999 of 1000 at all, and every byte right', () => {
    const good = { p99Ms: 49, expected: 1000, delivered: 999, corrupt: 0 };
    expect(passed(good)).toBe(true);
    expect([{ p99Ms: 50 }, { p99Ms: null }, { delivered: 998 }, { corrupt: 1 }].map((bad) => passed({ ...good, ...bad }))).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });
});
