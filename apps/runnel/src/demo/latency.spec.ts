import { describe, expect, it } from '@jest/globals';
import { latencyReport, percentile } from './latency.ts';

const source = [0, 1, 2].map((n) => ({ pts: n * 3000, capturedMs: n * 33, sentMs: n * 33 + 2 }));
const viewer = [0, 1].map((n) => ({ pts: n * 3000, receivedMs: n * 33 + 9, decodedMs: n * 33 + 10 }));
const trace = (n: number) => ({
  pts: n * 3000,
  receivedMs: n * 33 + 3,
  decodedMs: n * 33 + 4,
  dequeuedMs: n * 33 + 4.5,
  processedMs: n * 33 + 6,
  sentMs: n * 33 + 8,
});

describe('latencyReport', () => {
  it('joins source and viewer by PTS and leaves out what did not arrive', () => {
    expect(latencyReport(source, [], viewer)).toEqual({ frames: 2, totalMs: { p50: 10, p95: 10, p99: 10 }, hopsMs: {} });
  });

  it('splits the way into hops that add up to glass to glass', () => {
    const { totalMs, hopsMs } = latencyReport(source, [trace(0), trace(1)], viewer);
    expect(hopsMs).toEqual({
      ingest: { p50: 2, p99: 2 },
      edgeIn: { p50: 1, p99: 1 },
      decode: { p50: 1, p99: 1 },
      queue: { p50: 0.5, p99: 0.5 },
      process: { p50: 1.5, p99: 1.5 },
      encode: { p50: 2, p99: 2 },
      edgeOut: { p50: 1, p99: 1 },
      egress: { p50: 1, p99: 1 },
    });
    expect(Object.values(hopsMs).reduce((sum, hop) => sum + hop.p50, 0)).toBe(totalMs.p50);
  });
});

describe('percentile', () => {
  it('takes the nearest rank', () => {
    const hundred = Array.from({ length: 100 }, (_, n) => n + 1);
    expect([percentile(hundred, 0.5), percentile(hundred, 0.99), percentile([], 0.5)]).toEqual([50, 99, 0]);
  });
});
