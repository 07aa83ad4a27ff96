import type { Hub, HubCounters } from '@runnel/trickle-core';
import type { MetricFacts } from './facts.ts';

/** The metric of each counter of a hub. */
export const HUB_COUNTERS: Readonly<Record<keyof HubCounters, MetricFacts>> = {
  channelsCreated: counter('trickle_channels_created_total', 'Channels made.'),
  channelsEnded: counter('trickle_channels_ended_total', 'Channels ended.'),
  segments: counter('trickle_segments_total', 'Segments that received a first byte or were ended empty.'),
  cuts: counter('trickle_segments_cut_total', 'Segments whose publisher died in the middle.'),
  evictions: counter('trickle_segments_evicted_total', 'Segments that left a window.'),
  readersLost: counter('trickle_readers_lost_total', 'Readers that were in the middle of a segment when it left the window.'),
  gaps: counter('trickle_gaps_total', 'Reads of segments that are not in the window.'),
  takeovers: counter('trickle_takeovers_total', 'Waiting publishers that gave way to another one.'),
  refusedForSpace: counter('trickle_space_refusals_total', 'Segments cut because all channels together held too much.'),
  bytesIn: counter('trickle_received_bytes_total', 'Bytes of segments received.'),
  bytesOut: counter('trickle_sent_bytes_total', 'Bytes of segments handed to readers.'),
};

/** Gauges of a hub, and how each is read. */
export const HUB_GAUGES: readonly (readonly [facts: MetricFacts, read: (hub: Hub) => number])[] = [
  [gauge('trickle_channels', 'Channels now.'), (hub) => hub.size],
  [gauge('trickle_readers', 'Readers attached now.'), (hub) => sum(hub, ({ readers }) => readers)],
  [gauge('trickle_writers', 'Writers attached now, waiting ones included.'), (hub) => sum(hub, ({ writers }) => writers)],
  [gauge('trickle_held_bytes', 'Memory that the segments of all channels take now.'), (hub) => hub.heldBytes],
  [gauge('trickle_held_limit_bytes', 'Memory that they may take (EDGE_MEMORY_MIB).'), (hub) => hub.limits.hubBytes],
];

function counter(name: string, help: string): MetricFacts {
  return { name, type: 'counter', help };
}

function gauge(name: string, help: string): MetricFacts {
  return { name, type: 'gauge', help };
}

function sum(hub: Hub, read: (channel: { readers: number; writers: number }) => number): number {
  let total = 0;
  for (const channel of hub.channels) total += read(channel);
  return total;
}
