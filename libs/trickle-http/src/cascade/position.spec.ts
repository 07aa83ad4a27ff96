import { describe, expect, it } from '@jest/globals';
import { isAnother, type Position, startOf } from './position.ts';

function at(nextWrite: number, oldest: number | null = null, life: string | null = null): Position {
  return { nextWrite, oldest, mimeType: null, life };
}

describe('where a mirror starts', () => {
  it.each([
    ['next', -1, at(20, 10), 20],
    ['current', -2, at(20, 10), 19],
    ['further back', -5, at(20, 10), 16],
    ['further back than the window', -50, at(20, 10), 10],
    ['the oldest', 10, at(20, 10), 10],
    ['one ahead', 20, at(20, 10), 20],
    ['what has left', 9, at(20, 10), 20],
    ['what is out of reach', 21, at(20, 10), 20],
    ['current of a new channel', -2, at(0, 0), 0],
    ['further back on a new channel', -7, at(0, 0), 0],
    ['segment 1 of a new channel', 1, at(0, 0), 0],
    ['current when it has left', -2, at(20, 20), 20],
    ['an old one where the window is not known', 14, at(20), 20],
    ['one of the usual five where the window is not known', 15, at(20), 15],
  ])('%s (%i)', (_name, target, position, start) => {
    expect(startOf(target, position)).toBe(start);
  });
});

describe('another channel of the same name', () => {
  it('is told by when it was made', () => {
    expect(isAnother(at(5, 0, 'monday'), at(99, 90, 'tuesday'), 5)).toBe(true);
    expect(isAnother(at(5, 0, 'monday'), at(3, 0, 'monday'), 5)).toBe(false);
  });

  it('is told by a next write that has gone back a lot, where nothing else tells', () => {
    expect([
      isAnother(at(50), at(0), 50),
      isAnother(at(50), at(44), 50),
      isAnother(at(50), at(46), 50),
      isAnother(at(0), at(0), 0),
    ]).toEqual([true, true, false, false]);
  });
});
