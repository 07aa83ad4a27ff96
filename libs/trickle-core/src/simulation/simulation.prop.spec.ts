import { describe, expect, it } from '@jest/globals';
import { KEPT_TRACES } from './kept.ts';
import { shrink, traceText } from './shrink.ts';
import { traceOf } from './trace.ts';
import { problemOf } from './world.ts';

/** How many seeds a run tries, from which one on. */
const SEEDS = Number(process.env.RUNNEL_SEEDS ?? 3000);
const FIRST_SEED = Number(process.env.RUNNEL_FIRST_SEED ?? 1);

/** What is wrong with a seed, with the smallest trace that shows it. */
function report(seed: number): string | null {
  const trace = traceOf(seed);
  const problem = problemOf(trace);
  if (problem === null) return null;
  const smallest = shrink(trace);
  return `Seed ${seed}: ${problem}\nSmallest trace (${problemOf(smallest)}):\n${traceText(smallest)}`;
}

describe('channels under publishers and subscribers that do as they please', () => {
  it.each(KEPT_TRACES.map((trace) => [trace.wrong, trace] as const))('keep right what once was wrong: %s', (_, trace) => {
    expect(problemOf(trace)).toBeNull();
  });

  it('deliver what was accepted, end what has ended, and count what they do', () => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed += 1) {
      const problem = report(seed);
      if (problem !== null) throw new Error(problem);
    }
    expect(SEEDS).toBeGreaterThan(0);
  }, 120_000);
});
