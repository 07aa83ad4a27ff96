/** Stands for the next write: a publisher's "append", a subscriber's "wait for the next one". */
export const NEXT = -1;

/** Stands for the current segment, the newest that has been written. */
export const CURRENT = -2;

/** Stands for the oldest segment in the window: further back than any. */
export const OLDEST = Number.MIN_SAFE_INTEGER;

const CANONICAL = /^(?:0|-?[1-9]\d{0,15})$/;

/**
 * A sequence number as it stands in a URL: canonical decimal (no sign but `-`, no leading zero) within ±(2^53 - 1).
 * Negative numbers count from the live edge: -1 next, -2 current, -3 the one before (Trickle spec, Sequence numbers).
 * Returns null for anything else.
 */
export function parseSequence(text: string): number | null {
  if (!CANONICAL.test(text)) return null;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : null;
}
