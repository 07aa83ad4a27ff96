import type { Server, Socket } from 'node:net';
import { createLogger, type Logger, ShutdownSequence } from '@runnel/service';
import type { Relay } from '@runnel/trickle-http';
import type { Registry } from 'prom-client';
import { openAccess } from '../access.ts';
import { openCertificates } from '../certificates.ts';
import { HubChannels } from '../channels/hub-channels.ts';
import { EventLoopMonitor } from '../event-loop.ts';
import { logRefusals } from '../refusal-log.ts';
import { reachable } from '../reachable.ts';
import { makeRelay } from '../relay.ts';
import { startWarmUp } from '../warm-up.ts';
import { Elsewhere } from './elsewhere.ts';
import { innerPath, listenInner } from './inner.ts';
import { labelPart, type MetricObject } from './metrics.ts';
import type { ShardCalls, ShardStart, ShardState } from './protocol.ts';
import { Splices } from './splice.ts';
import { LISTENING_URL } from './urls.ts';

/** Nothing was read from an inner connection before it comes. */
const NOTHING = Buffer.alloc(0);

/** What a shard needs of its process. */
export interface ShardHost {
  /** Takes a connection for another shard, ready for another process. */
  readonly give: (shard: number, socket: Socket, received: Buffer) => void;
}

/** The relay of one shard and what belongs to it. */
export class ShardServer implements ShardCalls {
  readonly port: number;
  readonly url: string | null;
  readonly #relay: Relay;
  readonly #metrics: Registry;
  readonly #channels: HubChannels;
  readonly #loop: EventLoopMonitor;
  readonly #warming: { done: boolean };
  readonly #shutdown: ShutdownSequence;
  readonly #reload: () => Promise<void>;

  private constructor(parts: Parts) {
    this.port = parts.port;
    this.url = parts.url;
    this.#relay = parts.relay;
    this.#metrics = parts.metrics;
    // Where a channel stands is for the front to say.
    this.#channels = new HubChannels({ hub: parts.relay.hub, baseUrl: '' });
    this.#loop = parts.loop;
    this.#warming = parts.warming;
    this.#shutdown = parts.shutdown;
    this.#reload = parts.reload;
  }

  /** Starts a shard: it listens when this resolves. @throws RunnelError `port_in_use`, `invalid_config`. */
  static async start(start: ShardStart, host: ShardHost): Promise<ShardServer> {
    const { config, index } = start;
    const logger = createLogger({ name: 'trickle-edge', level: start.logLevel, openPaths: [config.EDGE_BASE_PATH] }).child({
      shard: index,
    });
    const shutdown = new ShutdownSequence(logger);
    try {
      return new ShardServer(await open(start, { host, logger, shutdown }));
    } catch (error) {
      await shutdown.close();
      throw error;
    }
  }

  /** What it tells of itself now. */
  get state(): ShardState {
    const { hub } = this.#relay;
    return { channels: hub.size, heldBytes: hub.heldBytes, loopDelay: this.#loop.delay, isWarm: this.#warming.done };
  }

  /** Takes over a connection that the front has accepted. */
  adopt(socket: Socket, received: Buffer): void {
    this.#relay.adopt(socket, received);
  }

  create(channel: Parameters<ShardCalls['create']>[0]): Promise<void> {
    return this.#channels.create(channel);
  }

  write({ channel, bytes }: { channel: string; bytes: Uint8Array }): Promise<number> {
    return this.#channels.write(channel, bytes);
  }

  end(channels: readonly string[]): Promise<number> {
    return this.#channels.end(channels);
  }

  lastWrites(channels: readonly string[]): Promise<(number | null)[]> {
    return this.#channels.lastWrites(channels);
  }

  metrics(): Promise<MetricObject[]> {
    return this.#metrics.getMetricsAsJSON();
  }

  drain(options: { deadlineMs: number }): Promise<number> {
    return this.#relay.drain(options);
  }

  reload(): Promise<void> {
    return this.#reload();
  }

  close(): Promise<void> {
    return this.#shutdown.close();
  }
}

interface Parts {
  readonly port: number;
  readonly url: string | null;
  readonly relay: Relay;
  readonly metrics: Registry;
  readonly loop: EventLoopMonitor;
  readonly warming: { done: boolean };
  readonly shutdown: ShutdownSequence;
  readonly reload: () => Promise<void>;
}

interface Surroundings {
  readonly host: ShardHost;
  readonly logger: Logger;
  readonly shutdown: ShutdownSequence;
}

async function open(start: ShardStart, { host, logger, shutdown }: Surroundings): Promise<Parts> {
  const { config, index, innerDirectory, warmUpMs } = start;
  const access = await openAccess({ config, logger });
  shutdown.add('signing keys', () => access.close());
  const loop = new EventLoopMonitor();
  shutdown.add('event loop monitor', async () => loop.close());
  const certificates = openCertificates({ config, logger });
  if (certificates !== null) shutdown.add('certificates', async () => certificates.source.close());
  const splices = new Splices();
  let url: string | null = null;
  const shard = new Elsewhere({
    count: config.EDGE_SHARDS,
    index,
    innerDirectory,
    stallMs: config.EDGE_STALL_MS,
    url: () => url,
    splices,
    give: host.give,
  });
  const { relay, upstream, metrics } = makeRelay({ config, access, certificates, loop, shard });
  labelPart(metrics, String(index));
  shutdown.add('trickle relay', () => relay.close());
  if (upstream !== null) shutdown.add('mirrors', () => upstream.close());
  const listening = await relay.listen({ host: config.EDGE_HOST, port: start.port, tls: certificates?.source });
  url = start.url === LISTENING_URL ? reachable(listening.url) : start.url;
  if (innerDirectory !== null) {
    const inner = await listenInner(innerPath(innerDirectory, index), (socket) => relay.adopt(socket, NOTHING));
    shutdown.add('inner socket', () => closed(inner));
  }
  shutdown.add('connections passed on', async () => splices.close());
  shutdown.add('log of refusals', stopLog(logRefusals(logger, relay.counters)));
  const warming = { done: warmUpMs === 0 };
  shutdown.add('warm-up', startWarmUp({ ms: warmUpMs, logger, onEnd: () => (warming.done = true) }));
  const reload = async () => {
    certificates?.reload();
    await access.reload();
  };
  return { port: Number(new URL(listening.url).port), url, relay, metrics, loop, warming, shutdown, reload };
}

/** Takes no more; its connections are the relay's to close. */
async function closed(server: Server): Promise<void> {
  server.close();
}

function stopLog(stop: () => void): () => Promise<void> {
  return async () => stop();
}
