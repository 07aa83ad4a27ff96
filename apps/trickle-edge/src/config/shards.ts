import { z } from 'zod';
import { count, port } from './fields.ts';

/** Processes that the channels of an edge are spread over. */
export const SHARDS = {
  EDGE_SHARDS: count({ min: 1, max: 64 })
    .default(1)
    .describe(
      'Processes that relay, each with the channels that fall to it by their name; with 1 there is no other process. Memory and channels are divided among them, bounds on connections hold for each.',
    ),
  EDGE_SHARD_PORT: port()
    .optional()
    .describe(
      'Port of the first shard, the next ones have the next; any free ones if absent. EDGE_PORT stays the address of all channels.',
    ),
  EDGE_SHARD_URLS: z
    .string()
    .optional()
    .describe(
      "Base URLs of the shards as others reach them, separated by commas, for the URLs that sessions are given; `plain`: those name the edge's own. If absent: the shards' listening addresses, or beside EDGE_PUBLIC_URL by port if that names EDGE_PORT and there is an EDGE_SHARD_PORT, else as with `plain`.",
    ),
};
