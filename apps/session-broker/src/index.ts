/** Nothing here yet. */
export const NAME = 'session-broker';
