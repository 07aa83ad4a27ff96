/** Nothing here yet. */
export const NAME = 'service';
