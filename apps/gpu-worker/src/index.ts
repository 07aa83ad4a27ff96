/** Nothing here yet. */
export const NAME = 'gpu-worker';
