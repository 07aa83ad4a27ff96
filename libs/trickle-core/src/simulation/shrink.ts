import type { Step, Trace } from './trace.ts';
import { problemOf } from './world.ts';

/** How often a trace is run at most while it is made smaller. */
const MAX_RUNS = 2000;

/** The smallest trace that leaving out steps leads to and that still goes wrong, if not in the same way. */
export function shrink(trace: Trace): Trace {
  let smallest = trace;
  let runs = 0;
  const fails = (steps: readonly Step[]) => {
    runs += 1;
    if (runs > MAX_RUNS || problemOf({ ...trace, steps }) === null) return false;
    smallest = { ...trace, steps };
    return true;
  };
  for (let size = Math.ceil(trace.steps.length / 2); size >= 1; size = size > 1 ? Math.ceil(size / 2) : 0) {
    for (let from = 0; from < smallest.steps.length;) {
      const without = [...smallest.steps.slice(0, from), ...smallest.steps.slice(from + size)];
      if (!fails(without)) from += size;
    }
  }
  return smallest;
}

/** A trace as it is kept in a test. */
export function traceText({ steps, ...world }: Trace): string {
  return [JSON.stringify(world), ...steps.map((step) => JSON.stringify(step))].join('\n');
}
