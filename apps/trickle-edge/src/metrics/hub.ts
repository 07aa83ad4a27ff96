import { createMetrics } from '@runnel/service';
import type { Hub, HubCounters } from '@runnel/trickle-core';
import { Counter, Gauge, type Registry } from 'prom-client';

/** Metric of each counter of a hub. No label carries a channel's name: it is a secret, and there is no bound on their number. */
const COUNTERS = {
  channelsCreated: ['trickle_channels_created_total', 'Channels made.'],
  channelsEnded: ['trickle_channels_ended_total', 'Channels ended.'],
  segments: ['trickle_segments_total', 'Segments that received a first byte or were ended empty.'],
  cuts: ['trickle_segments_cut_total', 'Segments whose publisher died in the middle.'],
  evictions: ['trickle_segments_evicted_total', 'Segments that left a window.'],
  readersLost: ['trickle_readers_lost_total', 'Readers that were in the middle of a segment when it left the window.'],
  gaps: ['trickle_gaps_total', 'Reads of segments that are not in the window.'],
  takeovers: ['trickle_takeovers_total', 'Waiting publishers that gave way to another one.'],
  refusedForSpace: ['trickle_space_refusals_total', 'Segments cut because all channels together held too much.'],
  bytesIn: ['trickle_received_bytes_total', 'Bytes of segments received.'],
  bytesOut: ['trickle_sent_bytes_total', 'Bytes of segments handed to readers.'],
} as const satisfies Record<keyof HubCounters, readonly [name: string, help: string]>;

/** A registry with the process metrics and those of a hub, read when they are scraped. */
export function edgeMetrics(hub: Hub): Registry {
  const registry = createMetrics('trickle-edge');
  for (const key of Object.keys(COUNTERS) as (keyof HubCounters)[]) {
    const [name, help] = COUNTERS[key];
    const counter = new Counter({
      name,
      help,
      registers: [],
      collect() {
        this.reset();
        this.inc(hub.counters[key]);
      },
    });
    registry.registerMetric(counter);
  }
  gauge(registry, 'trickle_channels', 'Channels now.', () => hub.size);
  gauge(registry, 'trickle_readers', 'Readers attached now.', () => sum(hub, ({ readers }) => readers));
  gauge(registry, 'trickle_writers', 'Writers attached now, waiting ones included.', () => sum(hub, ({ writers }) => writers));
  gauge(registry, 'trickle_held_bytes', 'Bytes held in windows now.', () => sum(hub, ({ heldBytes }) => heldBytes));
  return registry;
}

function gauge(registry: Registry, name: string, help: string, read: () => number): void {
  const metric = new Gauge({
    name,
    help,
    registers: [],
    collect() {
      this.set(read());
    },
  });
  registry.registerMetric(metric);
}

function sum(hub: Hub, read: (channel: { readers: number; writers: number; heldBytes: number }) => number): number {
  let total = 0;
  for (const channel of hub.channels) total += read(channel);
  return total;
}
