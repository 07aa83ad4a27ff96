import { DEFAULT_BOUNDS } from '@runnel/trickle-http';
import { z } from 'zod';
import { count, milliseconds } from './fields.ts';

const KIB = 1024;

/** What a connection may cost, and how long it may wait (Trickle spec, Limits). */
export const CONNECTIONS = {
  EDGE_MAX_CONNECTIONS: count({ min: 1, max: 1_000_000 })
    .default(DEFAULT_BOUNDS.maxConnections)
    .describe('Connections at once; more are closed. Each needs a file descriptor: see `ulimit -n`.'),
  EDGE_MAX_CONNECTIONS_PER_ADDRESS: count({ min: 1, max: 1_000_000 })
    .default(DEFAULT_BOUNDS.maxConnectionsPerAddress)
    .describe('Connections at once of one IPv4 address or IPv6 /64; more are closed. Behind a proxy all have its address.'),
  EDGE_HEADER_KIB: z.coerce
    .number()
    .min(1)
    .max(1024)
    .default(DEFAULT_BOUNDS.headerBytes / KIB)
    .transform((value) => Math.round(value * KIB))
    .describe('Request line and headers at most, KiB; more is 431.'),
  EDGE_HEADER_MS: milliseconds({ min: 100 })
    .default(DEFAULT_BOUNDS.headerMs)
    .describe("Time from a request's first byte to the end of its headers, ms; later is 408."),
  EDGE_KEEP_ALIVE_MS: milliseconds({ min: 1000 })
    .default(DEFAULT_BOUNDS.keepAliveMs)
    .describe('A connection without a request for this long is closed, ms. Longer than a proxy in front keeps its own.'),
  EDGE_FIRST_BYTE_MS: milliseconds({ min: 1000 })
    .default(DEFAULT_BOUNDS.firstByteMs)
    .describe('A POST that sends no byte for this long is 408, ms. Publishers open their next one ahead and may wait long.'),
  EDGE_INTER_BYTE_MS: milliseconds({ min: 1000 })
    .default(DEFAULT_BOUNDS.interByteMs)
    .describe('A body that has begun and pauses for this long is 408 and its segment cut, ms.'),
  EDGE_STALL_MS: milliseconds({ min: 1000 })
    .default(DEFAULT_BOUNDS.stallMs)
    .describe('A subscriber that takes nothing of what is there for it for this long is cut, ms.'),
};
