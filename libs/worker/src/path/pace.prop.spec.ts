import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { Decimator } from './decimator.ts';
import { Meter } from './meter.ts';
import { Pace } from './pace.ts';
import { Timeline } from './timeline.ts';

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

describe('Timeline', () => {
  const unit = (dts: number) => ({ data: new Uint8Array(), pts: dts + 100, dts, keyframe: false });

  it('passes what grows, and moves audio and video together when it begins again', () => {
    const timeline = new Timeline();
    expect(timeline.place(unit(90_000), 'video')).toEqual(unit(90_000));
    expect(timeline.place(unit(91_000), 'audio')).toEqual(unit(91_000));
    expect(timeline.place(unit(500_000), 'video').dts).toBe(500_000);
    const again = timeline.place(unit(0), 'video');
    expect([again.dts, again.pts - again.dts]).toEqual([503_000, 100]);
    expect(timeline.place(unit(1_000), 'audio').dts).toBe(504_000);
    expect(timeline.jumps).toBe(1);
  });

  it('leaves no gap when units of the old time line come after the first of the new one', () => {
    const timeline = new Timeline();
    const place = (dts: number, kind: 'video' | 'audio') => timeline.place(unit(dts), kind).dts;
    place(400_000, 'video');
    place(399_000, 'audio');
    expect(place(10_000, 'audio')).toBe(403_000);
    expect([place(403_000, 'video'), place(406_000, 'video')]).toEqual([403_000, 406_000]);
    // The new one begins after all that was there, and the sound keeps its distance to the picture.
    expect(place(11_000, 'video')).toBe(409_000);
    expect(place(14_000, 'video')).toBe(412_000);
    expect(place(13_000, 'audio')).toBe(411_000);
    expect(timeline.jumps).toBe(1);
  });

  it('takes along what does not go back itself', () => {
    const timeline = new Timeline();
    timeline.place(unit(400_000), 'video');
    timeline.place(unit(10_000), 'audio');
    for (let n = 0; n < 40; n += 1) timeline.place(unit(n * 3_000), 'video');
    expect(timeline.place(unit(120_000), 'audio').dts).toBe(403_000 + 120_000);
  });

  it('keeps decode times of video growing whatever comes', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 1 << 30 }), { minLength: 2 }), (times) => {
        const timeline = new Timeline();
        const placed = times.map((dts) => timeline.place(unit(dts), 'video').dts);
        expect(placed).toEqual(placed.toSorted((a, b) => a - b));
      }),
    );
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
