import type { RelayOptions } from '@runnel/trickle-http';
import type { TrickleEdgeConfig } from './config.ts';

/** The settings as the relay takes them; what needs more than settings is added by whoever starts it. */
export function relayOptions(config: TrickleEdgeConfig): RelayOptions {
  return {
    basePath: config.EDGE_BASE_PATH,
    creation: config.EDGE_CREATE,
    changes: config.EDGE_CHANGES === 'on',
    limits: {
      windowSegments: config.EDGE_WINDOW_SEGMENTS,
      windowAgeMs: config.EDGE_WINDOW_MS,
      windowBytes: config.EDGE_WINDOW_MIB,
      segmentBytes: config.EDGE_SEGMENT_MIB,
      hubBytes: config.EDGE_MEMORY_MIB,
      maxChannels: config.EDGE_MAX_CHANNELS,
      maxReaders: config.EDGE_MAX_SUBSCRIBERS,
      maxWriters: config.EDGE_MAX_PUBLISHERS,
      idleMs: config.EDGE_IDLE_MS,
    },
    bounds: {
      maxConnections: config.EDGE_MAX_CONNECTIONS,
      maxConnectionsPerAddress: config.EDGE_MAX_CONNECTIONS_PER_ADDRESS,
      headerBytes: config.EDGE_HEADER_KIB,
      headerMs: config.EDGE_HEADER_MS,
      keepAliveMs: config.EDGE_KEEP_ALIVE_MS,
      firstByteMs: config.EDGE_FIRST_BYTE_MS,
      interByteMs: config.EDGE_INTER_BYTE_MS,
      stallMs: config.EDGE_STALL_MS,
    },
  };
}
