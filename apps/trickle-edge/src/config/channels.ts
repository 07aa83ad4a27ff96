import { DEFAULT_LIMITS } from '@runnel/trickle-core';
import { z } from 'zod';
import { count, mebibytes, milliseconds } from './fields.ts';

/** Who makes channels, and what they hold (Trickle spec, Window and Limits). */
export const CHANNELS = {
  EDGE_CREATE: z
    .enum(['off', 'explicit', 'auto'])
    .default('off')
    .describe('Who may make channels over HTTP: nobody, whoever asks, also whoever publishes to a new name.'),
  EDGE_CHANGES: z
    .enum(['off', 'on'])
    .default('off')
    .describe('Keep the channel `_changes`, which tells everybody who may read it the names of all channels.'),
  EDGE_WINDOW_SEGMENTS: count({ min: 2, max: 1000 })
    .default(DEFAULT_LIMITS.windowSegments)
    .describe('Newest segments that a channel keeps.'),
  EDGE_WINDOW_MS: count({ min: 0, max: 600_000 })
    .default(DEFAULT_LIMITS.windowAgeMs)
    .describe('Time that older segments stay readable, ms.'),
  EDGE_WINDOW_MIB: mebibytes({ max: 4096, defaultBytes: DEFAULT_LIMITS.windowBytes }).describe(
    'Memory that the segments of a channel take at most, MiB; the oldest leave first.',
  ),
  EDGE_SEGMENT_MIB: mebibytes({ max: 4096, defaultBytes: DEFAULT_LIMITS.segmentBytes }).describe(
    'Size of a segment at most, MiB; more is refused with 413.',
  ),
  EDGE_MEMORY_MIB: mebibytes({ max: 1_048_576, defaultBytes: DEFAULT_LIMITS.hubBytes }).describe(
    'Memory that the segments of all channels take at most, MiB; more is refused with 507, and near it the edge is not ready.',
  ),
  EDGE_MAX_CHANNELS: count({ min: 1, max: 1_000_000 })
    .default(DEFAULT_LIMITS.maxChannels)
    .describe('Channels at once; more are refused with 429.'),
  EDGE_MAX_SUBSCRIBERS: count({ min: 1, max: 1_000_000 })
    .default(DEFAULT_LIMITS.maxReaders)
    .describe('Subscribers of a channel at once, each open GET counted; more are refused with 429.'),
  EDGE_MAX_PUBLISHERS: count({ min: 2, max: 100_000 })
    .default(DEFAULT_LIMITS.maxWriters)
    .describe('Publishers of a channel at once, each open POST counted; more are refused with 429.'),
  EDGE_IDLE_MS: milliseconds({ min: 1000 })
    .default(DEFAULT_LIMITS.idleMs)
    .describe('A session or channel without a write for this long is ended, ms.'),
};
