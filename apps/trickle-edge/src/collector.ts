import { setFlagsFromString } from 'node:v8';

/** How much the memory of the process may grow, in percent of what was alive, before all of it is collected. */
const GROWTH_PERCENT = 200;

/**
 * Lets the process collect all its garbage less often. To be called once, before there is any traffic.
 *
 * What a relay receives comes in buffers outside of V8's heap, for each of which V8 counts down to its next full collection: a busy edge has
 * one every second, and marks all that is alive each time. Counted as a part of the heap, and with room for twice what is alive, they become rare.
 * The price is memory: up to three times what windows and heap hold.
 */
export function collectLessOften(): void {
  setFlagsFromString('--external-memory-accounted-in-global-limit');
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
}
