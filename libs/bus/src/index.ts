/** Nothing here yet. */
export const NAME = 'bus';
