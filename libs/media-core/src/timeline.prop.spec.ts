import { describe, expect, it } from '@jest/globals';
import { array, assert, integer, property } from 'fast-check';
import { Timeline } from './timeline.ts';

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
    assert(
      property(array(integer({ min: 0, max: 1 << 30 }), { minLength: 2 }), (times) => {
        const timeline = new Timeline();
        const placed = times.map((dts) => timeline.place(unit(dts), 'video').dts);
        expect(placed).toEqual(placed.toSorted((a, b) => a - b));
      }),
    );
  });

  it('takes a leap forward for a jump where there is a limit, and no small step back where there is jitter', () => {
    const timeline = new Timeline({ jitterTicks: { video: 9_000, audio: 9_000 }, forwardMaxTicks: 900_000 });
    const place = (dts: number, kind: 'video' | 'audio') => timeline.place(unit(dts), kind).dts;
    expect([place(90_000, 'video'), place(89_000, 'audio'), place(84_000, 'video')]).toEqual([90_000, 89_000, 84_000]);
    expect([place(90_000_000, 'audio'), place(93_000, 'video')]).toEqual([93_000, 93_000]);
    expect([place(90_001_000, 'video'), place(90_002_000, 'audio')]).toEqual([94_000, 95_000]);
    expect(timeline.jumps).toBe(1);
  });
});
