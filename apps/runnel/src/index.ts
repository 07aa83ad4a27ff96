/** Nothing here yet. */
export const NAME = 'runnel';
