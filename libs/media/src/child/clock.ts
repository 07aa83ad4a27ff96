/** Environment variable by which a child learns the epoch of its parent's clock. */
export const CLOCK_ENV = 'RUNNEL_CLOCK_EPOCH_MS';

/** Milliseconds of the monotonic clock that all processes of the machine share. */
function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/**
 * When the monotonic clock stood at 0, in epoch ms. A child takes its parent's: each process on its own would read the wall clock at
 * another moment and be off by up to some milliseconds, more than a hop of a frame takes.
 */
export const clockEpochMs = Number(process.env[CLOCK_ENV] ?? performance.timeOrigin + performance.now() - monotonicMs());

/** The time since 1970 in ms, with fractions; comparable between a process and the children that it forks with `forkChild`. */
export function epochMs(): number {
  return clockEpochMs + monotonicMs();
}
