import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import { NestFactory } from '@nestjs/core';
import type { Bus } from '@runnel/bus';
import { type Logger, type RunningService, createMetrics, ShutdownSequence, startHttpApp } from '@runnel/service';
import { createRelay } from '@runnel/trickle-http';
import type { TrickleEdgeConfig } from './config.ts';
import { EdgeModule } from './edge.module.ts';
import { addHubMetrics } from './metrics/registry.ts';
import { OpsModule } from './ops.module.ts';
import { SessionChannels } from './session-channels.ts';

/** What an edge needs from whoever composes it. */
export interface TrickleEdgeOptions {
  bus: Bus;
  logger: Logger;
  config: TrickleEdgeConfig;
}

/** An edge that runs. */
export interface TrickleEdge extends RunningService {
  /** Base URL of the channels, without a trailing slash: a channel's URL is `url + '/' + name`. */
  readonly url: string;
  /** Base URL of probes and metrics; null when they are off. */
  readonly opsUrl: string | null;
}

/** 160 bits: not to be guessed, whoever asks how often. */
const SECRET_BYTES = 20;

/**
 * Starts an edge: the relay on its own port, and the answers to `edge.*` on the bus.
 * @throws RunnelError `port_in_use`, `invalid_config`.
 */
export async function startTrickleEdge({ bus, logger, config }: TrickleEdgeOptions): Promise<TrickleEdge> {
  const shutdown = new ShutdownSequence(logger);
  const relay = createRelay({
    basePath: config.EDGE_BASE_PATH,
    creation: config.EDGE_CREATE,
    changes: config.EDGE_CHANGES === 'on',
    limits: {
      windowSegments: config.EDGE_WINDOW_SEGMENTS,
      windowAgeMs: config.EDGE_WINDOW_MS,
      windowBytes: config.EDGE_WINDOW_MIB,
      segmentBytes: config.EDGE_SEGMENT_MIB,
      hubBytes: config.EDGE_MEMORY_MIB,
      maxChannels: config.EDGE_MAX_CHANNELS,
      maxReaders: config.EDGE_MAX_SUBSCRIBERS,
      maxWriters: config.EDGE_MAX_PUBLISHERS,
      idleMs: config.EDGE_IDLE_MS,
    },
  });
  shutdown.add('trickle relay', () => relay.close());
  const metrics = createMetrics('trickle-edge');
  addHubMetrics(metrics, relay.hub);
  try {
    const listening = await relay.listen({ host: config.EDGE_HOST, port: config.EDGE_PORT });
    const url = (config.EDGE_PUBLIC_URL ?? reachable(listening.url)).replace(/\/+$/, '');
    const channels = new SessionChannels({
      hub: relay.hub,
      baseUrl: `${url}/`,
      idleMs: config.EDGE_IDLE_MS,
      secret: () => randomBytes(SECRET_BYTES).toString('hex'),
      clock: Date.now,
      key: () => null,
      ttlMs: 0,
    });
    const app = await NestFactory.createApplicationContext(EdgeModule.register({ bus, logger, channels }), {
      logger: false,
      abortOnError: false,
    });
    shutdown.add('edge service', () => app.close());
    const ops =
      config.EDGE_OPS_PORT === undefined
        ? null
        : await startHttpApp({
            name: 'trickle-edge',
            module: OpsModule,
            host: config.EDGE_OPS_HOST ?? config.EDGE_HOST,
            port: config.EDGE_OPS_PORT,
            logger: quieter(logger),
            metrics,
          });
    if (ops !== null) shutdown.add('probes and metrics', () => ops.close());
    const opsUrl = ops?.url ?? null;
    logger.info({ app: 'trickle-edge', url, opsUrl }, 'listening');
    return { url, opsUrl, close: () => shutdown.close() };
  } catch (error) {
    await shutdown.close();
    throw error;
  }
}

/** Requests to the probes' server are not worth a line each. */
function quieter(logger: Logger): Logger {
  return logger.isLevelEnabled('debug') ? logger : logger.child({}, { level: logger.isLevelEnabled('warn') ? 'warn' : logger.level });
}

/** "Any address" is good to listen on and not to connect to. */
function reachable(url: string): string {
  return url.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:');
}
