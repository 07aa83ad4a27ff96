import type { Duplex } from 'node:stream';
import { createMetrics } from '@runnel/service';
import { createRelay, type Relay } from '@runnel/trickle-http';
import type { Registry } from 'prom-client';
import type { EdgeAccess } from './access.ts';
import type { EdgeCertificates } from './certificates.ts';
import type { TrickleEdgeConfig } from './config.ts';
import type { EventLoopMonitor } from './event-loop.ts';
import { addHubMetrics, addLoopMetrics, addRelayMetrics, addTlsMetrics, firstByteHistogram } from './metrics/registry.ts';
import { relayOptions } from './relay-options.ts';

/** What the relay of an edge is made of. */
export interface EdgeRelayOptions {
  readonly config: TrickleEdgeConfig;
  readonly access: EdgeAccess;
  /** Null without TLS. */
  readonly certificates: EdgeCertificates | null;
  readonly loop: EventLoopMonitor;
  /** Takes the connections whose request is not for a channel. */
  readonly foreign: (socket: Duplex) => void;
}

/** A relay, and the registry in which it is measured. */
export interface EdgeRelay {
  readonly relay: Relay;
  readonly metrics: Registry;
}

/** Makes the relay of an edge. */
export function makeRelay({ config, access, certificates, loop, foreign }: EdgeRelayOptions): EdgeRelay {
  const metrics = createMetrics('trickle-edge');
  const firstByte = firstByteHistogram();
  const relay = createRelay({
    ...relayOptions(config),
    authorizer: access.authorizer,
    foreign,
    onFirstByte: (ms) => firstByte.observe(ms / 1000),
  });
  metrics.registerMetric(firstByte);
  addHubMetrics(metrics, relay.hub);
  addRelayMetrics(metrics, relay);
  addTlsMetrics(metrics, relay, () => certificates?.source.validToMs ?? null);
  addLoopMetrics(metrics, () => loop.delay);
  return { relay, metrics };
}
