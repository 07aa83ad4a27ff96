import type { Channel } from './channel.ts';

/** A channel as `GET {base}{channel}` shows it (Trickle spec, Metadata). Times are ISO 8601. */
export interface ChannelMetadata {
  channel: string;
  mimeType: string;
  /** The next write. */
  seq: number;
  /** Lowest sequence number that can be read. */
  oldest: number;
  status: 'open' | 'closed';
  params: Readonly<Record<string, unknown>>;
  createdAt: string;
  lastWriteAt: string;
  publishers: number;
  subscribers: number;
  bytesIn: number;
  bytesOut: number;
  /** Reads that asked for a segment which was not in the window. */
  gaps: number;
}

/** A snapshot of a channel. */
export function channelMetadata(channel: Channel): ChannelMetadata {
  return {
    channel: channel.name,
    mimeType: channel.mimeType,
    seq: channel.nextWrite,
    oldest: channel.oldest,
    status: channel.ended ? 'closed' : 'open',
    params: channel.params,
    createdAt: new Date(channel.createdMs).toISOString(),
    lastWriteAt: new Date(channel.lastWriteMs).toISOString(),
    publishers: channel.writers,
    subscribers: channel.readers,
    bytesIn: channel.counters.bytesIn,
    bytesOut: channel.counters.bytesOut,
    gaps: channel.counters.gaps,
  };
}
