import { z } from 'zod';
import { ACCESS } from './config/access.ts';
import { CASCADE } from './config/cascade.ts';
import { CHANNELS } from './config/channels.ts';
import { CONNECTIONS } from './config/connections.ts';
import { MAX_PORT } from './config/fields.ts';
import { LIFE } from './config/life.ts';
import { LISTENING } from './config/listening.ts';
import { SHARDS } from './config/shards.ts';
import { TLS } from './config/tls.ts';

/** Environment of the edge app. */
export const TrickleEdgeConfigSchema = z
  .object({ ...LISTENING, ...TLS, ...ACCESS, ...CHANNELS, ...CONNECTIONS, ...CASCADE, ...LIFE, ...SHARDS })
  .refine((config) => config.EDGE_SEGMENT_MIB <= config.EDGE_WINDOW_MIB, {
    path: ['EDGE_SEGMENT_MIB'],
    error: 'must be at most EDGE_WINDOW_MIB: a channel holds at least one segment',
  })
  .refine((config) => config.EDGE_WINDOW_MIB <= config.EDGE_MEMORY_MIB, {
    path: ['EDGE_WINDOW_MIB'],
    error: 'must be at most EDGE_MEMORY_MIB: all channels together hold at least one',
  })
  .refine((config) => (config.EDGE_TLS_CERT_FILE === undefined) === (config.EDGE_TLS_KEY_FILE === undefined), {
    path: ['EDGE_TLS_CERT_FILE'],
    error: 'and EDGE_TLS_KEY_FILE go together: both or none',
  })
  .refine((config) => config.EDGE_SHARDS === 1 || config.EDGE_WINDOW_MIB <= config.EDGE_MEMORY_MIB / config.EDGE_SHARDS, {
    path: ['EDGE_SHARDS'],
    error: 'must leave each shard at least EDGE_WINDOW_MIB of EDGE_MEMORY_MIB',
  })
  .refine((config) => (config.EDGE_SHARD_PORT ?? 0) + config.EDGE_SHARDS - 1 <= MAX_PORT, {
    path: ['EDGE_SHARD_PORT'],
    error: 'must leave a port for each shard',
  })
  .refine((config) => config.EDGE_SHARDS === 1 || config.EDGE_CHANGES === 'off', {
    path: ['EDGE_CHANGES'],
    error: 'must be off with more than one shard: none of them knows all channels',
  });
/** Values of `TrickleEdgeConfigSchema`. */
export type TrickleEdgeConfig = z.output<typeof TrickleEdgeConfigSchema>;
