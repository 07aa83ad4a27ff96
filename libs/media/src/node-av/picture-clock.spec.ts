import { describe, expect, it } from '@jest/globals';
import { PictureClock } from './picture-clock.ts';

describe('PictureClock', () => {
  it('passes times that are told, and puts pictures without one a step after the last', () => {
    const clock = new PictureClock();
    expect([100, 140, null, null, 260].map((told) => clock.timeOf(told))).toEqual([100, 140, 180, 220, 260]);
  });

  it('knows no time before two pictures had one, nor after a step back', () => {
    const clock = new PictureClock();
    expect([null, 100, null, 90, null].map((told) => clock.timeOf(told))).toEqual([null, 100, null, 90, null]);
  });
});
