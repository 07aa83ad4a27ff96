import { z } from 'zod';
import { milliseconds } from './fields.ts';

/** Where this edge gets channels that it does not have (Trickle spec, Cascade). */
export const CASCADE = {
  EDGE_UPSTREAMS: z
    .string()
    .default('')
    .describe(
      'Edges that have other channels: `prefix=URL` of their base path, separated by commas, `*` for every name, the longest prefix decides. A URL that ends with `{token}/` is of an edge with the same keys. If empty, channels are those of this edge.',
    ),
  EDGE_UPSTREAM_LINGER_MS: milliseconds({ min: 0 })
    .default(10_000)
    .describe('Time that a channel of another edge stays after its last subscriber here has left, ms.'),
  EDGE_ID: z
    .string()
    .regex(/^[A-Za-z0-9._~-]{1,64}$/, 'must be 1 to 64 letters, digits, dots, underscores, tildes and dashes')
    .optional()
    .describe('Name of this edge in Lp-Trickle-Via, which no other edge may have; a random one if absent.'),
};
