import { describe, expect, it } from '@jest/globals';
import { middle, percentile, ratio } from './stats.mjs';

describe('the figures of the bench', () => {
  it('take a percentile by the nearest rank', () => {
    const values = Float64Array.from({ length: 100 }, (_, n) => 100 - n);
    expect([percentile(values, 50), percentile(values, 99), percentile(values, 100)]).toEqual([50, 99, 100]);
    expect(percentile(Float64Array.of(7), 99)).toBe(7);
    expect(percentile(new Float64Array(0), 99)).toBeNull();
  });

  it('take the middle, and leave out what was not measured', () => {
    expect([middle([3, 1, 2]), middle([4, 1, 2, 3]), middle([null, 5]), middle([null])]).toEqual([2, 2.5, 5, null]);
  });

  it('compare within a rep, not the medians of both: a slow moment of the machine meets both servers', () => {
    const [ours, theirs] = [
      [10, 40, 12],
      [20, 80, 30],
    ].map((reps) => reps.map((cpu) => ({ cpu })));
    expect(ratio(ours, theirs, ({ cpu }: { cpu: number }) => cpu)).toEqual({ median: 0.5, min: 0.4, max: 0.5 });
    expect(ratio(ours, [], ({ cpu }: { cpu: number }) => cpu)).toBeNull();
    expect(ratio([{ cpu: 1 }], [{ cpu: 0 }], ({ cpu }: { cpu: number }) => cpu)).toBeNull();
  });
});
