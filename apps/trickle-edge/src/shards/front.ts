import { createMetrics, type HealthChecks } from '@runnel/service';
import { createRelay, type Relay } from '@runnel/trickle-http';
import type { TrickleEdgeConfig } from '../config.ts';
import type { DataPlane, DataPlaneOptions } from '../data-plane.ts';
import type { LoopDelay } from '../event-loop.ts';
import { edgeHealth } from '../health.ts';
import { addLoopMetrics, addRelayMetrics, addTlsMetrics } from '../metrics/registry.ts';
import { relayOptions } from '../relay-options.ts';
import { handOver } from './detach.ts';
import { Elsewhere } from './elsewhere.ts';
import { shardEntry } from './entry.ts';
import { makeInnerDirectory } from './inner.ts';
import { labelPart, type MetricObject, tellAllParts } from './metrics.ts';
import { RemoteChannels } from './remote-channels.ts';
import { shardOf } from './shard-of.ts';
import { ShardSlot } from './slot.ts';
import { Splices } from './splice.ts';
import { shardUrls } from './urls.ts';

/** How long the end of a shard may take before it is killed, in milliseconds. */
const CLOSE_DEADLINE_MS = 4000;

/** How long a scrape waits for a shard, in milliseconds. One that does not answer is missing in it. */
const SCRAPE_DEADLINE_MS = 2000;

/**
 * Opens a data plane of several processes. The shards listen when this resolves; the front, a relay without channels, hands every connection that
 * comes to the edge's address to the shard that has its channel.
 * @throws RunnelError `port_in_use`, `invalid_config`, `deadline_exceeded`, `no_responder`.
 */
export async function openShardedPlane(options: DataPlaneOptions): Promise<DataPlane> {
  const { certificates, logger, loop, shutdown, warmUpMs } = options;
  const config = shareOf(options.config);
  const inner = certificates === null ? null : await makeInnerDirectory();
  if (inner !== null) shutdown.add('directory of inner sockets', inner.remove);
  const splices = new Splices();
  const lost: ((isLost: (channel: string) => boolean) => void)[] = [];
  const count = config.EDGE_SHARDS;
  const slots = shardUrls(config).map((url, index) => {
    const port = config.EDGE_SHARD_PORT === undefined ? 0 : config.EDGE_SHARD_PORT + index;
    return new ShardSlot({
      entry: shardEntry(),
      start: { config, index, port, url, innerDirectory: inner?.path ?? null, warmUpMs, logLevel: logger.level },
      logger,
      onElsewhere: (shard, socket, received) => {
        // It has been read here again since it came.
        handOver(socket, received, { deadlineMs: config.EDGE_STALL_MS, give: (all) => slots[shard].give(socket, all) });
      },
      onLost: (shard) => {
        for (const listener of lost) listener((channel) => shardOf(channel, count) === shard);
      },
    });
  });
  const shard = new Elsewhere({
    count,
    index: null,
    innerDirectory: inner?.path ?? null,
    stallMs: config.EDGE_STALL_MS,
    url: () => null,
    splices,
    give: (index, socket, received) => slots[index].give(socket, received),
  });
  const relay = createRelay({ ...frontOptions(config), authorizer: options.access.authorizer, foreign: options.foreign, shard });
  shutdown.add('trickle relay', () => relay.close());
  // Before the front's relay, which waits for the connections that it has accepted.
  shutdown.add('connections passed on', async () => splices.close());
  shutdown.add('shards', () => all(slots.map((slot) => slot.close({ deadlineMs: CLOSE_DEADLINE_MS }))));
  const started = await Promise.allSettled(slots.map((slot) => slot.start()));
  const failed = started.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  logger.info({ shards: slots.map(({ pid, port, url }) => ({ pid, port, url })) }, 'shards listen');

  const metrics = createMetrics('trickle-edge');
  labelPart(metrics, 'front');
  addRelayMetrics(metrics, relay);
  addTlsMetrics(metrics, relay, () => certificates?.source.validToMs ?? null);
  addLoopMetrics(metrics, () => loop.delay);
  tellAllParts(metrics, () => scrape(slots));
  return {
    relay,
    metrics,
    health: frontHealth({ relay, slots, loopDelay: () => loop.delay }),
    listen: () => relay.listen({ host: config.EDGE_HOST, port: config.EDGE_PORT, tls: certificates?.source }),
    channels: (plainUrl) => new RemoteChannels({ slots, plainUrl }),
    onLost: (listener) => lost.push(listener),
    reload: () => all(slots.map((slot) => slot.call('reload', null).catch(() => {}))),
    openChannels: () => slots.reduce((sum, { state }) => sum + (state?.channels ?? 0), 0),
    drain: async ({ deadlineMs }) => {
      await relay.drain({ deadlineMs: 0 });
      const left = await Promise.all(slots.map((slot) => slot.drain({ deadlineMs })));
      return left.reduce((sum, channels) => sum + channels, 0);
    },
  };
}

/** What of the bounds of the edge falls to one shard. */
function shareOf(config: TrickleEdgeConfig): TrickleEdgeConfig {
  return {
    ...config,
    EDGE_MEMORY_MIB: Math.floor(config.EDGE_MEMORY_MIB / config.EDGE_SHARDS),
    EDGE_MAX_CHANNELS: Math.ceil(config.EDGE_MAX_CHANNELS / config.EDGE_SHARDS),
  };
}

/** The relay of the front knows no channel and makes none. */
function frontOptions(config: TrickleEdgeConfig) {
  return { ...relayOptions(config), creation: 'off', changes: false } as const;
}

async function scrape(slots: readonly ShardSlot[]): Promise<MetricObject[][]> {
  return Promise.all(slots.map((slot) => slot.call('metrics', null, { deadlineMs: SCRAPE_DEADLINE_MS }).catch(() => [])));
}

interface FrontHealth {
  readonly relay: Relay;
  readonly slots: readonly ShardSlot[];
  readonly loopDelay: () => LoopDelay;
}

/** As of one process, by the worst of all; and whether all are there. */
function frontHealth({ relay, slots, loopDelay }: FrontHealth): HealthChecks {
  const states = () => slots.flatMap(({ state }) => (state === null ? [] : [state]));
  const health = edgeHealth({
    hub: {
      get heldBytes() {
        return Math.max(0, ...states().map(({ heldBytes }) => heldBytes));
      },
      get refusal() {
        return relay.hub.refusal;
      },
      limits: relay.hub.limits,
    },
    loopDelay: () => [loopDelay(), ...states().map((state) => state.loopDelay)].reduce((a, b) => (b.p99 > a.p99 ? b : a)),
    isWarm: () => states().every(({ isWarm }) => isWarm),
  });
  health.add('shards', () => {
    const down = slots.flatMap(({ state }, index) => (state === null ? [index] : []));
    return down.length === 0 ? null : `not there: shard ${down.join(', ')}`;
  });
  return health;
}

async function all(work: readonly Promise<unknown>[]): Promise<void> {
  await Promise.all(work);
}
