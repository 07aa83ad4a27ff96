/** What a token lets its holder do (Trickle spec, Capability URLs). */
export type Right = 'publish' | 'subscribe' | 'manage';

/** Every right with its letter in a token, in the order in which letters stand there. */
export const RIGHT_LETTERS = { publish: 'p', subscribe: 's', manage: 'm' } as const satisfies Record<Right, string>;

/** Every right, in the order of their letters. */
export const RIGHTS: readonly Right[] = Object.keys(RIGHT_LETTERS) as Right[];

/** A set of rights as one number: a bit for each. */
export type RightMask = number;

const BITS: Record<Right, RightMask> = { publish: 1, subscribe: 2, manage: 4 };

/** The mask of some rights. */
export function maskOf(rights: Iterable<Right>): RightMask {
  let mask = 0;
  for (const right of rights) mask |= BITS[right];
  return mask;
}

/** Whether a mask holds a right; `any` asks for none in particular. */
export function holds(mask: RightMask, right: Right | 'any'): boolean {
  return right === 'any' || (mask & BITS[right]) !== 0;
}
