/** Each step asks for this much more than the one before. */
const STEP = 1.12;

/** How often a rate is tried before the server is held not to carry it: a stall of the machine must not end the ladder. */
const TRIES = 3;

/** Segments a second below which it is not worth looking. */
const LEAST = 100;

/** Loss that a step may have. */
const LOSS_LIMIT = 0.001;

/** Delay that 99 of 100 segments of a step stay below, ms. */
const P99_LIMIT_MS = 50;

/** Whether a step was carried: first-byte p99 below 50 ms, at most 0.1 % lost, nothing corrupt. */
export function passed({ p99Ms, expected, delivered, corrupt }) {
  return p99Ms !== null && p99Ms < P99_LIMIT_MS && expected - delivered <= expected * LOSS_LIMIT && corrupt === 0;
}

/**
 * The rate of the next step, segments a second; null at the end of the ladder. A step that fails is made again, twice at most; up by 12 % after one that
 * passes, down by half while even the first one fails, and never to a rate that failed before.
 */
export function nextRate(steps, { from, most }) {
  const last = steps.at(-1);
  if (last === undefined) return from;
  if (steps.length >= most) return null;
  const carried = new Set(steps.filter((step) => step.passed).map((step) => step.rate));
  if (!last.passed) {
    if (steps.filter((step) => step.rate === last.rate).length < TRIES) return last.rate;
    return carried.size > 0 || last.rate < LEAST ? null : Math.round(last.rate / 2);
  }
  const next = Math.round(last.rate * STEP);
  const tooMuch = steps.filter((step) => !carried.has(step.rate)).map((step) => step.rate);
  return tooMuch.some((rate) => rate <= next) ? null : next;
}

/** The step with the highest rate that passed; null when none did. */
export function highest(steps) {
  return steps.reduce((best, step) => (step.passed && step.rate > (best?.rate ?? 0) ? step : best), null);
}
