import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { Decimator } from './decimator.ts';
import { Meter } from './meter.ts';
import { Pace } from './pace.ts';

const FRAME = 3_000;
const MS = 1000 / 30;

/** The pace of a processor that needs 50 ms a frame. */
function slow(): Pace {
  const pace = new Pace({ depth: 2 });
  for (let n = 0; n < 30; n += 1) pace.worked(50);
  return pace;
}

describe('Pace', () => {
  it('never calls a frame late for a processor that keeps up, whatever the size of the bursts', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.double({ min: 1, max: 33, noNaN: true }), (burst, costMs) => {
        const pace = new Pace({ depth: 2 });
        let freeMs = 0;
        for (let n = 0; n < 240; n += burst) {
          // The burst arrives when its last frame has been made.
          const arrivalMs = 5_000 + (n + burst) * MS;
          for (let i = 0; i < burst; i += 1) pace.arrived((n + i) * FRAME, arrivalMs);
          freeMs = Math.max(freeMs, arrivalMs);
          for (let i = 0; i < burst; i += 1) {
            expect(pace.isLate((n + i) * FRAME, freeMs)).toBe(false);
            freeMs += costMs;
          }
        }
      }),
    );
  });

  it('calls a frame late that has waited longer than its depth when frames cost more than their interval', () => {
    const pace = slow();
    for (let n = 0; n < 30; n += 1) pace.arrived(n * FRAME, 1_000 + n * MS);
    const arrivedMs = 1_000 + 29 * MS;
    expect(pace.isLate(29 * FRAME, arrivedMs + 60)).toBe(false);
    expect(pace.isLate(29 * FRAME, arrivedMs + 75)).toBe(true);
    expect(pace.intervalMs).toBeCloseTo(MS, 0);
  });

  it('lets a processor that is fast enough catch up after a stall, for up to a second', () => {
    const pace = new Pace({ depth: 2 });
    for (let n = 0; n < 60; n += 1) {
      pace.arrived(n * FRAME, 1_000 + n * MS);
      pace.worked(n === 40 ? 300 : 5);
    }
    const arrivedMs = 1_000 + 59 * MS;
    expect(pace.isLate(59 * FRAME, arrivedMs + 900)).toBe(false);
    expect(pace.isLate(59 * FRAME, arrivedMs + 1_100)).toBe(true);
  });

  it('forgets a stall of the network after two seconds', () => {
    const pace = slow();
    pace.arrived(0, 1_000 + 800);
    for (let n = 1; n < 90; n += 1) pace.arrived(n * FRAME, Math.max(1_800, 1_000 + n * MS));
    const arrivedMs = 1_000 + 89 * MS;
    expect(pace.isLate(89 * FRAME, arrivedMs + 200)).toBe(true);
  });
});

describe('Decimator', () => {
  const kept = (maxFramerate: number | undefined, pts: number[]) => {
    const decimator = new Decimator({ maxFramerate });
    return pts.filter((at) => decimator.accepts(at)).length;
  };

  it('keeps exactly the share of frames, at any phase', () => {
    fc.assert(
      fc.property(fc.constantFrom(1, 5, 12, 15, 24, 25, 29), fc.integer({ min: 0, max: 1 << 30 }), (rate, start) => {
        const got = kept(
          rate,
          Array.from({ length: 300 }, (_, n) => start + n * FRAME),
        );
        expect(Math.abs(got - rate * 10)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('loses nothing at the source’s own rate, with jitter of a third of a frame, nor without a bound', () => {
    const jittered = Array.from({ length: 300 }, (_, n) => n * FRAME + ((n * 7919) % 2000) - 1000).map((pts) => pts + 1000);
    expect(kept(undefined, jittered)).toBe(300);
    expect(
      kept(
        30,
        Array.from({ length: 300 }, (_, n) => n * FRAME + ((n * 7919) % 1400)),
      ),
    ).toBe(300);
  });

  it('goes on when PTS go back', () => {
    expect(kept(15, [90_000, 93_000, 96_000, 0, 3_000, 6_000])).toBe(4);
  });
});

describe('Meter', () => {
  it('counts, and measures rates and percentiles of latency', () => {
    const meter = new Meter();
    for (let n = 0; n < 100; n += 1) {
      meter.frameIn(n * 20);
      if (n % 2 === 0) meter.frameOut(n * 20 + 5, n * 20 + 5 - (n + 1));
      else meter.framesDropped += 1;
    }
    expect(meter.stats(2_000)).toEqual({
      framesIn: 100,
      framesOut: 50,
      framesDropped: 50,
      fpsIn: expect.closeTo(50, 1),
      fpsOut: expect.closeTo(25, 1),
      latencyMs: { p50: 49, p99: 99 },
    });
    expect(meter.stats(20_000)).toMatchObject({ fpsIn: 0, fpsOut: 0 });
    expect(new Meter().stats(0).latencyMs).toEqual({ p50: 0, p99: 0 });
  });
});
