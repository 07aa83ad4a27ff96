import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { NestFactory } from '@nestjs/core';
import type { Bus } from '@runnel/bus';
import {
  DRAIN_DEADLINE_MS,
  type Logger,
  type RunningService,
  ShutdownSequence,
  STEP_DEADLINE_MS,
  type UnboundHttpApp,
} from '@runnel/service';
import { openAccess } from './access.ts';
import { openCertificates } from './certificates.ts';
import type { TrickleEdgeConfig } from './config.ts';
import { startControl } from './control.ts';
import { openSinglePlane } from './data-plane.ts';
import { drain } from './drain.ts';
import { EdgeModule } from './edge.module.ts';
import { EventLoopMonitor } from './event-loop.ts';
import { logRefusals } from './refusal-log.ts';
import { reachable } from './reachable.ts';
import { SessionChannels } from './session-channels.ts';
import { openShardedPlane } from './shards/front.ts';

/** What an edge needs from whoever composes it. */
export interface TrickleEdgeOptions {
  readonly bus: Bus;
  readonly logger: Logger;
  readonly config: TrickleEdgeConfig;
  /** How long it relays to itself before it is ready. Default 0: not at all. */
  readonly warmUpMs?: number;
}

/** An edge that runs. */
export interface TrickleEdge extends RunningService {
  /** Base URL of the channels, without a trailing slash: a channel's URL is `url + '/' + name`. */
  readonly url: string;
  /** Base URL of metrics and probes on a port of their own; null when they have none. */
  readonly opsUrl: string | null;
  /** Makes no new channels and is not ready any more; resolves when the last one has ended, or at the deadline with the number left. */
  drain(options: { deadlineMs: number }): Promise<number>;
  /** Reads certificates and the keys of capability URLs again. Never rejects: what is wrong with them is logged. */
  reload(): Promise<void>;
}

/** 160 bits: not to be guessed, whoever asks how often. */
const SECRET_BYTES = 20;

/**
 * Starts an edge: the relay on its port, probes on the same one, and the answers to `edge.*` on the bus.
 * @throws RunnelError `port_in_use`, `invalid_config`.
 */
export async function startTrickleEdge({ bus, logger, config, warmUpMs = 0 }: TrickleEdgeOptions): Promise<TrickleEdge> {
  const shutdown = new ShutdownSequence(logger);
  try {
    const access = await openAccess({ config, logger });
    shutdown.add('signing keys', () => access.close());
    const loop = new EventLoopMonitor();
    shutdown.add('event loop monitor', async () => loop.close());
    let control: UnboundHttpApp | null = null;
    const foreign = (socket: Duplex) => (control === null ? void socket.destroy() : control.accept(socket));
    const certificates = openCertificates({ config, logger });
    if (certificates !== null) shutdown.add('certificates', async () => certificates.source.close());
    const openPlane = config.EDGE_SHARDS > 1 ? openShardedPlane : openSinglePlane;
    const plane = await openPlane({ config, logger, access, certificates, loop, foreign, shutdown, warmUpMs });
    const probes = await startControl({ config, logger, health: plane.health, metrics: plane.metrics });
    control = probes;
    shutdown.add('probes and metrics', () => probes.close(), { deadlineMs: DRAIN_DEADLINE_MS + STEP_DEADLINE_MS });
    const listening = await plane.listen();
    const url = (config.EDGE_PUBLIC_URL ?? reachable(listening.url)).replace(/\/+$/, '');
    const channels = new SessionChannels({
      store: plane.channels(`${url}/`),
      idleMs: config.EDGE_IDLE_MS,
      secret: () => randomBytes(SECRET_BYTES).toString('hex'),
      clock: Date.now,
      key: () => access.key(),
      ttlMs: config.EDGE_TOKEN_TTL_MS,
    });
    plane.onLost((isLost) => {
      const told = channels.lose(isLost).then((sessionIds) => logger.warn({ sessionIds }, 'sessions ended that have lost channels'));
      told.catch((err: unknown) => logger.error({ err }, 'sessions that have lost channels cannot be ended'));
    });
    const app = await NestFactory.createApplicationContext(EdgeModule.register({ bus, logger, channels }), {
      logger: false,
      abortOnError: false,
    });
    shutdown.add('edge service', () => app.close());
    const stopLog = logRefusals(logger, plane.relay.counters);
    shutdown.add('log of refusals', async () => stopLog());
    logger.info({ app: 'trickle-edge', url, opsUrl: probes.url }, 'listening');
    return {
      url,
      opsUrl: probes.url,
      drain: ({ deadlineMs }) => drain(plane, { deadlineMs, logger }),
      reload: async () => {
        certificates?.reload();
        await Promise.all([access.reload(), plane.reload()]);
      },
      close: () => shutdown.close(),
    };
  } catch (error) {
    await shutdown.close();
    throw error;
  }
}
