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
import { drainRelay } from './drain.ts';
import { EdgeModule } from './edge.module.ts';
import { EventLoopMonitor } from './event-loop.ts';
import { edgeHealth } from './health.ts';
import { logRefusals } from './refusal-log.ts';
import { makeRelay } from './relay.ts';
import { SessionChannels } from './session-channels.ts';
import { warmUp } from './warm-up.ts';

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
    const warming = { done: warmUpMs === 0 };
    let control: UnboundHttpApp | null = null;
    const foreign = (socket: Duplex) => (control === null ? void socket.destroy() : control.accept(socket));
    const certificates = openCertificates({ config, logger });
    if (certificates !== null) shutdown.add('certificates', async () => certificates.source.close());
    const { relay, upstream, metrics } = makeRelay({ config, access, certificates, loop, foreign });
    shutdown.add('trickle relay', () => relay.close());
    if (upstream !== null) shutdown.add('mirrors', () => upstream.close());
    const health = edgeHealth({ hub: relay.hub, loopDelay: () => loop.delay, isWarm: () => warming.done });
    const probes = await startControl({ config, logger, health, metrics });
    control = probes;
    shutdown.add('probes and metrics', () => probes.close(), { deadlineMs: DRAIN_DEADLINE_MS + STEP_DEADLINE_MS });
    const listening = await relay.listen({ host: config.EDGE_HOST, port: config.EDGE_PORT, tls: certificates?.source });
    const url = (config.EDGE_PUBLIC_URL ?? reachable(listening.url)).replace(/\/+$/, '');
    const channels = new SessionChannels({
      hub: relay.hub,
      baseUrl: `${url}/`,
      idleMs: config.EDGE_IDLE_MS,
      secret: () => randomBytes(SECRET_BYTES).toString('hex'),
      clock: Date.now,
      key: () => access.key(),
      ttlMs: config.EDGE_TOKEN_TTL_MS,
    });
    const app = await NestFactory.createApplicationContext(EdgeModule.register({ bus, logger, channels }), {
      logger: false,
      abortOnError: false,
    });
    shutdown.add('edge service', () => app.close());
    const stopLog = logRefusals(logger, relay.counters);
    shutdown.add('log of refusals', async () => stopLog());
    shutdown.add('warm-up', startWarmUp({ ms: warmUpMs, logger, onEnd: () => (warming.done = true) }));
    logger.info({ app: 'trickle-edge', url, opsUrl: probes.url }, 'listening');
    return {
      url,
      opsUrl: probes.url,
      drain: ({ deadlineMs }) => drainRelay(relay, { deadlineMs, logger }),
      reload: async () => {
        certificates?.reload();
        await access.reload();
      },
      close: () => shutdown.close(),
    };
  } catch (error) {
    await shutdown.close();
    throw error;
  }
}

/** Warms up beside whatever comes meanwhile. Returns what stops it and waits for its end. */
function startWarmUp({ ms, logger, onEnd }: { ms: number; logger: Logger; onEnd: () => void }): () => Promise<void> {
  if (ms === 0) return async () => {};
  const stop = new AbortController();
  const ended = warmUp({ ms, signal: stop.signal })
    .then((segments) => logger.debug({ segments }, 'warm'))
    .catch((err: unknown) => logger.warn({ err }, 'the warm-up failed: the first streams meet cold code'))
    .then(onEnd);
  return () => {
    stop.abort();
    return ended;
  };
}

/** "Any address" is good to listen on and not to connect to. */
function reachable(url: string): string {
  return url.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:');
}
