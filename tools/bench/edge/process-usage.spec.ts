import { describe, expect, it } from '@jest/globals';
import { parseList } from './pinning.mjs';
import { parseCoreBusy, parseCpuTime, parseStat, usageOf } from './process-usage.mjs';

describe('what a process uses', () => {
  it('is read from a line of /proc/PID/stat, whatever the command is called', () => {
    expect(parseStat('7 (a) b) S 1 7 7 0 -1 4194304 100 0 0 0 25 5 0 0 20 0 1 0 100 1000 50')).toBe(300);
  });

  it('is read from what ps prints', () => {
    expect(['0:01.50', '01:02:03', '2-00:00:01'].map(parseCpuTime)).toEqual([1500, 3_723_000, 172_801_000]);
  });

  it('is told of this process, and null of none', () => {
    expect(usageOf(process.pid)).toMatchObject({ cpuMs: expect.any(Number), rssBytes: expect.any(Number) });
    expect(usageOf(process.pid)!.rssBytes).toBeGreaterThan(10_000_000);
    expect([usageOf(null), usageOf(2 ** 30)]).toEqual([null, null]);
  });

  it('is set against what its core did in all: without idle and waiting, with what the host took', () => {
    const text = 'cpu  9 9 9 9 9 9 9 9\ncpu0 1 2 3 1000 1000 4 5 6 0 0\ncpu1 0 0 0 1 0 0 0 0 0 0\n';
    expect([parseCoreBusy(text, 0), parseCoreBusy(text, 1), parseCoreBusy(text, 2)]).toEqual([210, 0, null]);
  });

  it('runs on cores from a list of ranges', () => {
    expect([parseList('0-3'), parseList('2,5-6'), parseList('7')]).toEqual([[0, 1, 2, 3], [2, 5, 6], [7]]);
  });
});
