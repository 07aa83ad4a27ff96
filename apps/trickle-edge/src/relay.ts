import type { Duplex } from 'node:stream';
import { createMetrics } from '@runnel/service';
import { type CascadeUpstream, createRelay, type Relay, type Shard } from '@runnel/trickle-http';
import type { Registry } from 'prom-client';
import type { EdgeAccess } from './access.ts';
import type { EdgeCertificates } from './certificates.ts';
import type { TrickleEdgeConfig } from './config.ts';
import type { EventLoopMonitor } from './event-loop.ts';
import {
  addCascadeMetrics,
  addHubMetrics,
  addLoopMetrics,
  addRelayMetrics,
  addTlsMetrics,
  firstByteHistogram,
} from './metrics/registry.ts';
import { relayOptions } from './relay-options.ts';
import { openUpstream } from './upstreams.ts';

/** What the relay of an edge is made of. */
export interface EdgeRelayOptions {
  readonly config: TrickleEdgeConfig;
  readonly access: EdgeAccess;
  /** Null without TLS. */
  readonly certificates: EdgeCertificates | null;
  readonly loop: EventLoopMonitor;
  /** Takes the connections whose request is not for a channel. Absent: such requests are 404. */
  readonly foreign?: (socket: Duplex) => void;
  /** Of a relay that has only some of the channels. */
  readonly shard?: Shard;
}

/** A relay, what it mirrors, and the registry in which both are measured. */
export interface EdgeRelay {
  readonly relay: Relay;
  /** Null for an edge that has its own channels alone. */
  readonly upstream: CascadeUpstream | null;
  readonly metrics: Registry;
}

/** Makes the relay of an edge. @throws RunnelError `invalid_config`. */
export function makeRelay({ config, access, certificates, loop, foreign, shard }: EdgeRelayOptions): EdgeRelay {
  const metrics = createMetrics('trickle-edge');
  const firstByte = firstByteHistogram();
  const upstream = openUpstream({ config, hub: () => relay.hub, key: () => access.key(), clock: Date.now });
  const relay: Relay = createRelay({
    ...relayOptions(config),
    authorizer: access.authorizer,
    upstream: upstream ?? undefined,
    foreign,
    shard,
    onFirstByte: (ms) => firstByte.observe(ms / 1000),
  });
  metrics.registerMetric(firstByte);
  addHubMetrics(metrics, relay.hub);
  addRelayMetrics(metrics, relay);
  addTlsMetrics(metrics, relay, () => certificates?.source.validToMs ?? null);
  addCascadeMetrics(metrics, upstream);
  addLoopMetrics(metrics, () => loop.delay);
  return { relay, upstream, metrics };
}
