/** Each step asks for this much more than the one before. */
const STEP = 1.12;

/** Loss that a step may have. */
export const LOSS_LIMIT = 0.001;

/** Delay that 99 of 100 segments of a step stay below, ms. */
export const P99_LIMIT_MS = 50;

/** Whether a step was carried: first-byte p99 below 50 ms, at most 0.1 % lost, nothing corrupt. */
export function passed({ p99Ms, expected, delivered, corrupt }) {
  return p99Ms !== null && p99Ms < P99_LIMIT_MS && expected - delivered <= expected * LOSS_LIMIT && corrupt === 0;
}

/**
 * The rate of the next step, segments a second; null when the ladder is at its end: up by 12 % a step until one fails twice in a row (a stall of the
 * machine must not end it), down by half while even the first one fails.
 */
export function nextRate(steps, { from, most }) {
  const last = steps.at(-1);
  if (last === undefined) return from;
  if (steps.length >= most) return null;
  if (last.passed) {
    // What is below a step that failed twice is the result, even when the way there went down.
    return steps.some((step) => !step.passed && step.rate > last.rate * 1.01) && steps[0].rate > last.rate
      ? null
      : Math.round(last.rate * STEP);
  }
  if (steps.at(-2)?.rate !== last.rate) return last.rate;
  return steps.some((step) => step.passed) || last.rate < 100 ? null : Math.round(last.rate / 2);
}

/** The step with the highest rate that passed; null when none did. */
export function highest(steps) {
  return steps.reduce((best, step) => (step.passed && step.rate > (best?.rate ?? 0) ? step : best), null);
}
