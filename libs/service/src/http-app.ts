import 'reflect-metadata';
import type { DynamicModule, InjectionToken, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { RunnelError } from '@runnel/errors';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import { AllowedMethods } from './allowed-methods.ts';
import { HealthChecks } from './health.ts';
import type { Logger } from './logger.ts';
import { createMetrics } from './metrics.ts';
import { addProbes } from './probes.ts';
import { ProblemFilter } from './problem-filter.ts';
import { RequestTracker } from './requests.ts';
import { createServer } from './server.ts';
import { ShutdownSequence } from './shutdown.ts';

/** How long open requests may take to end when an app closes, in milliseconds. */
export const DRAIN_DEADLINE_MS = 10_000;

/** A service that runs, as solo mode and the command line see it. */
export interface RunningService {
  /** Base URL without a trailing slash; null for a service that does not listen. */
  readonly url: string | null;
  /** Ends the service and all that it started. Idempotent, bounded in time, never rejects. */
  close(): Promise<void>;
}

/** What an HTTP app is made of. */
export interface HttpAppOptions {
  /** Name of the app in logs and metrics. */
  readonly name: string;
  /** Root module of Nest. Use `@Inject(TOKEN)` on every constructor parameter. */
  readonly module: Type | DynamicModule;
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly logger: Logger;
  /** Readiness checks; `draining` is added. */
  readonly health?: HealthChecks;
  /** Registry of `createMetrics`. Default: a fresh one. */
  readonly metrics?: Registry;
  /** Called when the app closes, after new requests are refused and before open ones are awaited: end event streams here. */
  readonly onDrain?: () => Promise<void>;
  /** Time for `onDrain`, and again for open requests. Default `DRAIN_DEADLINE_MS`. */
  readonly drainDeadlineMs?: number;
}

/** A listening app. */
export interface HttpApp extends RunningService {
  readonly url: string;
  /** A provider of the root module's container. */
  get<T>(token: InjectionToken<T>): T;
}

/**
 * Starts a Nest app on Fastify with probes, metrics, request log, problem+json errors and ordered shutdown.
 * @throws RunnelError `port_in_use`; what a provider throws at start.
 */
export async function startHttpApp(options: HttpAppOptions): Promise<HttpApp> {
  const { name, logger, health = new HealthChecks(), metrics = createMetrics(name), drainDeadlineMs = DRAIN_DEADLINE_MS } = options;
  const adapter = createServer();
  const server = adapter.getInstance();
  const allowed = new AllowedMethods();
  allowed.watch(server);
  const tracker = new RequestTracker();
  tracker.install(server, { logger, metrics });
  health.add('draining', () => (tracker.draining ? 'the instance is shutting down' : null));
  addProbes(server, { health, metrics });

  const app = await NestFactory.create<NestFastifyApplication>(options.module, adapter, {
    logger: false,
    abortOnError: false,
    bodyParser: false,
  });
  app.useGlobalFilters(new ProblemFilter({ logger, allowed }));

  // Runs from the last step to the first: refuse, drain, wait for what is open, then close server and providers.
  const shutdown = new ShutdownSequence(logger);
  shutdown.add('http server and providers', () => app.close());
  shutdown.add(
    'open requests',
    async () => {
      const left = await tracker.settled(drainDeadlineMs);
      if (left > 0) logger.warn({ left }, 'requests are cut by the shutdown');
    },
    { deadlineMs: drainDeadlineMs + 1000 },
  );
  if (options.onDrain !== undefined) shutdown.add('drain', options.onDrain, { deadlineMs: drainDeadlineMs });
  shutdown.add('new requests', async () => tracker.refuse());

  try {
    await app.listen(options.port, options.host);
  } catch (error) {
    await shutdown.close();
    throw listenError(error, options);
  }
  const { port } = app.getHttpServer().address() as AddressInfo;
  const url = `http://${options.host.includes(':') ? `[${options.host}]` : options.host}:${port}`;
  logger.info({ server: name, url }, 'listening');
  return { url, get: (token) => app.get(token), close: () => shutdown.close() };
}

function listenError(error: unknown, { host, port }: HttpAppOptions): unknown {
  if (typeof error !== 'object' || error === null || !('code' in error)) return error;
  if (error.code === 'EADDRINUSE') {
    return new RunnelError('port_in_use', { message: `Port ${port} on ${host} is taken by another program.`, cause: error });
  }
  if (error.code === 'EACCES' || error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND') {
    return new RunnelError('invalid_config', { message: `Cannot listen on ${host}:${port} (${error.code}).`, cause: error });
  }
  return error;
}
