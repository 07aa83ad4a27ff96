/** Failures in a row after which a client gives up (Trickle spec, Clients). */
export const MAX_FAILURES = 5;

const FIRST_DELAY_MS = 50;
const MAX_DELAY_MS = 1000;

/** How long to wait after the n-th failure in a row (from 1): doubling, capped, with full jitter on the upper half. */
export function backoffMs(failures: number, random: () => number = Math.random): number {
  const ceiling = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (failures - 1));
  return ceiling / 2 + (random() * ceiling) / 2;
}
