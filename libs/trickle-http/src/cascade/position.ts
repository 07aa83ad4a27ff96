import { NEXT } from '@runnel/trickle-core';

/** What an upstream edge says of a channel. */
export interface Position {
  readonly nextWrite: number;
  /** Lowest number in its window; null when it does not tell. */
  readonly oldest: number | null;
  /** Null when it does not tell: then the first segment does. */
  readonly mimeType: string | null;
  /** Tells this channel from a later one of the same name; null when there is nothing to tell by. */
  readonly life: string | null;
}

/** Segments that an edge keeps which does not tell its window. */
const USUAL_WINDOW = 5;

/**
 * The number at which the mirror of a channel begins for a reader's target: the segment that the reader would get upstream, or the
 * live edge when upstream would answer 470 (Trickle spec, Cascade).
 */
export function startOf(target: number, { nextWrite, oldest: known }: Position): number {
  if (target === NEXT) return nextWrite;
  const oldest = Math.min(known ?? Math.max(0, nextWrite - USUAL_WINDOW), nextWrite);
  if (target < NEXT) return Math.max(oldest, nextWrite + target - NEXT);
  return target >= oldest && target <= nextWrite ? target : nextWrite;
}

/**
 * Whether a channel is another one than the one that was mirrored up to `target`: it was made anew, or its next write has gone
 * back further than a late segment takes it back on relays that let it (Trickle spec, 1.3).
 */
export function isAnother(before: Position, now: Position, target: number): boolean {
  if (before.life !== null && now.life !== null) return before.life !== now.life;
  return now.nextWrite < target - USUAL_WINDOW || (now.nextWrite === 0 && target > 0);
}
