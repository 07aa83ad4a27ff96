import { milliseconds } from './fields.ts';

/** How the process comes and goes. */
export const LIFE = {
  EDGE_WARM_UP_MS: milliseconds({ min: 0 })
    .default(1000)
    .describe(
      'Time after the start in which the edge relays to itself before it is ready, so that the first streams meet compiled code, ms.',
    ),
  EDGE_DRAIN_MS: milliseconds({ min: 0 })
    .default(25_000)
    .describe('Time that live channels have to end after SIGTERM, ms. Below what the supervisor waits before it kills.'),
};
