import type { Duplex } from 'node:stream';
import type { HealthChecks, Logger, ShutdownSequence } from '@runnel/service';
import type { Relay } from '@runnel/trickle-http';
import type { Registry } from 'prom-client';
import type { EdgeAccess } from './access.ts';
import type { EdgeCertificates } from './certificates.ts';
import { HubChannels } from './channels/hub-channels.ts';
import type { ChannelStore } from './channels/store.ts';
import type { TrickleEdgeConfig } from './config.ts';
import type { Drainable } from './drain.ts';
import type { EventLoopMonitor } from './event-loop.ts';
import { edgeHealth } from './health.ts';
import { makeRelay } from './relay.ts';
import { startWarmUp } from './warm-up.ts';

/** What a data plane is made of. What it starts, it adds to the shutdown. */
export interface DataPlaneOptions {
  readonly config: TrickleEdgeConfig;
  readonly logger: Logger;
  readonly access: EdgeAccess;
  /** Null without TLS. */
  readonly certificates: EdgeCertificates | null;
  readonly loop: EventLoopMonitor;
  /** Takes the connections whose request is not for a channel. */
  readonly foreign: (socket: Duplex) => void;
  readonly shutdown: ShutdownSequence;
  /** How long whatever relays does so to itself before it is ready. */
  readonly warmUpMs: number;
}

/** What relays segments: one relay in this process, or a front here and shards in processes of their own. */
export interface DataPlane extends Drainable {
  /** The relay at the edge's address. */
  readonly relay: Relay;
  readonly metrics: Registry;
  readonly health: HealthChecks;
  /** Listens at the edge's address. @throws RunnelError `port_in_use`, `invalid_config`. */
  listen(): Promise<{ url: string }>;
  /** The channels that the edge makes itself; `plainUrl`: base URL of the edge's address, with a slash at its end. */
  channels(plainUrl: string): ChannelStore;
  /** Calls the listener when channels are lost. */
  onLost(listener: (isLost: (channel: string) => boolean) => void): void;
  /** Makes other processes read certificates and keys again. Never rejects. */
  reload(): Promise<void>;
}

/** Opens a data plane in this process alone. @throws RunnelError `invalid_config`. */
export function openSinglePlane({ shutdown, warmUpMs, ...options }: DataPlaneOptions): DataPlane {
  const { config, logger, certificates, loop } = options;
  const warming = { done: warmUpMs === 0 };
  const { relay, upstream, metrics } = makeRelay(options);
  shutdown.add('trickle relay', () => relay.close());
  if (upstream !== null) shutdown.add('mirrors', () => upstream.close());
  return {
    relay,
    metrics,
    health: edgeHealth({ hub: relay.hub, loopDelay: () => loop.delay, isWarm: () => warming.done }),
    listen: async () => {
      const listening = await relay.listen({ host: config.EDGE_HOST, port: config.EDGE_PORT, tls: certificates?.source });
      shutdown.add('warm-up', startWarmUp({ ms: warmUpMs, logger, onEnd: () => (warming.done = true) }));
      return listening;
    },
    channels: (plainUrl) => new HubChannels({ hub: relay.hub, baseUrl: plainUrl }),
    onLost: () => {},
    reload: async () => {},
    openChannels: () => relay.hub.size,
    drain: (deadline) => relay.drain(deadline),
  };
}
