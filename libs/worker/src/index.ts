/** Nothing here yet. */
export const NAME = 'worker';
