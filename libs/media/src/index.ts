/** Nothing here yet. */
export const NAME = 'media';
