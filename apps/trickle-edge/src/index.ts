/** Nothing here yet. */
export const NAME = 'trickle-edge';
