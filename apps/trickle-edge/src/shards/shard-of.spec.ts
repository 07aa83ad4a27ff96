import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { shardOf } from './shard-of.ts';

const NAMES = 10_000;

/** Pearson's chi-square of the spread over the shards, and its value that an even spread exceeds once in a million (Wilson and Hilferty). */
function spread(nameOf: (index: number) => string, count: number): { chiSquare: number; limit: number } {
  const found = Array.from({ length: count }, () => 0);
  for (let index = 0; index < NAMES; index += 1) found[shardOf(nameOf(index), count)] += 1;
  const expected = NAMES / count;
  const freedom = count - 1;
  const chiSquare = found.reduce((sum, channels) => sum + (channels - expected) ** 2 / expected, 0);
  const limit = freedom * (1 - 2 / (9 * freedom) + 4.75 * Math.sqrt(2 / (9 * freedom))) ** 3;
  return { chiSquare, limit };
}

const hex = (index: number) => createHash('sha1').update(`channel ${index}`).digest('hex');
const NAMINGS: Record<string, (index: number) => string> = {
  'random secrets': (index) => `video-in-${hex(index)}`,
  counters: (index) => `camera-${index}`,
  'counters with zeros': (index) => String(index).padStart(8, '0'),
  'counters in the middle': (index) => `site-${index}-video`,
  'even counters': (index) => `c${index * 2}`,
};

describe('shardOf', () => {
  for (const count of [2, 3, 4, 7, 8, 16, 64]) {
    for (const [naming, nameOf] of Object.entries(NAMINGS)) {
      it(`spreads ${naming} evenly over ${count}`, () => {
        const { chiSquare, limit } = spread(nameOf, count);
        expect(chiSquare).toBeLessThan(limit);
      });
    }
  }

  it('never changes: front, shards and versions that run side by side agree', () => {
    const shards = ['', 'a', 'hello', '_changes', 'video-in-0123456789abcdef'].map((name) => shardOf(name, 1000));
    expect(shards).toEqual([923, 715, 270, 297, 158]);
  });

  it('has one shard for all where there is one', () => {
    expect(new Set(['a', 'b', 'c', hex(1)].map((name) => shardOf(name, 1)))).toEqual(new Set([0]));
  });
});
