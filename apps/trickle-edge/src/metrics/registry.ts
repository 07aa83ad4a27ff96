import type { Hub, HubCounters } from '@runnel/trickle-core';
import type { CascadeCounters, CascadeUpstream, Http2Counters, Relay } from '@runnel/trickle-http';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { LoopDelay } from '../event-loop.ts';
import { CASCADE_COUNTERS, MIRRORS } from './cascade.ts';
import type { MetricFacts } from './facts.ts';
import { HUB_COUNTERS, HUB_GAUGES } from './hub.ts';
import { DRAINING, LOOP_DELAY, LOOP_QUANTILES } from './process.ts';
import { CONNECTIONS, CONNECTIONS_ACCEPTED, FIRST_BYTE, FIRST_BYTE_BUCKETS, REFUSAL_REASONS, REFUSED, REQUESTS } from './relay.ts';
import { CERTIFICATE_EXPIRY, HANDSHAKE_RESULTS, HANDSHAKES, HTTP2_COUNTERS } from './tls.ts';

/** All metrics that the edge has beside those that every app has; docs/reference/metrics.md is made of them. */
export const EDGE_METRICS: readonly MetricFacts[] = [
  ...HUB_GAUGES.map(([facts]) => facts),
  ...Object.values(HUB_COUNTERS),
  CONNECTIONS,
  CONNECTIONS_ACCEPTED,
  REQUESTS,
  REFUSED,
  FIRST_BYTE,
  HANDSHAKES,
  CERTIFICATE_EXPIRY,
  ...Object.values(HTTP2_COUNTERS),
  MIRRORS,
  ...Object.values(CASCADE_COUNTERS),
  LOOP_DELAY,
  DRAINING,
];

/** The histogram that takes first-byte times, to be made before the relay that observes them. */
export function firstByteHistogram(): Histogram {
  return new Histogram({ name: FIRST_BYTE.name, help: FIRST_BYTE.help, buckets: FIRST_BYTE_BUCKETS, registers: [] });
}

/** Adds the metrics of a hub; values are read when they are scraped. */
export function addHubMetrics(registry: Registry, hub: Hub): void {
  for (const [facts, read] of HUB_GAUGES) gauge(registry, facts, (metric) => metric.set(read(hub)));
  for (const key of Object.keys(HUB_COUNTERS) as (keyof HubCounters)[]) {
    counter(registry, HUB_COUNTERS[key], (metric) => metric.inc(hub.counters[key]));
  }
  gauge(registry, DRAINING, (metric) => metric.set(hub.refusal === null ? 0 : 1));
}

/** Adds the metrics of a relay's connections and requests. */
export function addRelayMetrics(registry: Registry, relay: Relay): void {
  gauge(registry, CONNECTIONS, (metric) => metric.set(relay.connections));
  counter(registry, CONNECTIONS_ACCEPTED, (metric) => metric.inc(relay.counters.connections));
  counter(registry, REQUESTS, (metric) => metric.inc(relay.counters.requests));
  counter(registry, REFUSED, (metric) => {
    for (const [key, reason] of REFUSAL_REASONS) metric.inc({ reason }, relay.counters[key]);
  });
}

/** Adds TLS and HTTP/2; `certificateExpiryMs` is null without TLS. */
export function addTlsMetrics(registry: Registry, relay: Relay, certificateExpiryMs: () => number | null): void {
  counter(registry, HANDSHAKES, (metric) => {
    const { handshakes, resumed } = relay.tlsCounters;
    metric.inc({ result: 'full' }, handshakes - resumed);
    for (const [key, result] of HANDSHAKE_RESULTS) metric.inc({ result }, relay.tlsCounters[key]);
  });
  gauge(registry, CERTIFICATE_EXPIRY, (metric) => metric.set((certificateExpiryMs() ?? 0) / 1000));
  for (const key of Object.keys(HTTP2_COUNTERS) as (keyof Http2Counters)[]) {
    counter(registry, HTTP2_COUNTERS[key], (metric) => metric.inc(relay.http2Counters[key]));
  }
}

/** Adds the mirrors of other edges' channels; all zero without an upstream. */
export function addCascadeMetrics(registry: Registry, upstream: Pick<CascadeUpstream, 'mirrors' | 'counters'> | null): void {
  gauge(registry, MIRRORS, (metric) => metric.set(upstream?.mirrors ?? 0));
  for (const key of Object.keys(CASCADE_COUNTERS) as (keyof CascadeCounters)[]) {
    counter(registry, CASCADE_COUNTERS[key], (metric) => metric.inc(upstream?.counters[key] ?? 0));
  }
}

/** Adds how late the event loop is. */
export function addLoopMetrics(registry: Registry, loopDelay: () => LoopDelay): void {
  gauge(registry, LOOP_DELAY, (metric) => {
    const delay = loopDelay();
    for (const quantile of LOOP_QUANTILES) metric.set({ quantile }, delay[quantile] / 1000);
  });
}

function counter(registry: Registry, { name, help, labels = {} }: MetricFacts, read: (metric: Counter) => void): void {
  const collect = function (this: Counter) {
    this.reset();
    read(this);
  };
  registry.registerMetric(new Counter({ name, help, labelNames: Object.keys(labels), registers: [], collect }));
}

function gauge(registry: Registry, { name, help, labels = {} }: MetricFacts, read: (metric: Gauge) => void): void {
  const collect = function (this: Gauge) {
    read(this);
  };
  registry.registerMetric(new Gauge({ name, help, labelNames: Object.keys(labels), registers: [], collect }));
}
