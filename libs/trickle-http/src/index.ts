/** Nothing here yet. */
export const NAME = 'trickle-http';
