import 'reflect-metadata';
import type { DynamicModule, InjectionToken, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { RunnelError } from '@runnel/errors';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Registry } from 'prom-client';
import { AllowedMethods } from './allowed-methods.ts';
import { Guests } from './guests.ts';
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

/** What an HTTP app is made of, wherever it listens. */
export interface UnboundHttpAppOptions {
  /** Name of the app in logs and metrics. */
  readonly name: string;
  /** Root module of Nest. Use `@Inject(TOKEN)` on every constructor parameter. */
  readonly module: Type | DynamicModule;
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

/** What an HTTP app is made of. */
export interface HttpAppOptions extends UnboundHttpAppOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
}

/** An app that has no port of its own. */
export interface UnboundHttpApp extends RunningService {
  /** A provider of the root module's container. */
  get<T>(token: InjectionToken<T>): T;
  /**
   * Takes over a connection that another server accepted (put back what it read with `unshift`): one request is answered, then it is
   * closed, at the latest after `GUEST_DEADLINE_MS`. `/metrics` is not there for it.
   */
  accept(socket: Duplex): void;
}

/** A listening app. */
export interface HttpApp extends UnboundHttpApp {
  readonly url: string;
}

/** A Nest app on Fastify that does not listen, and the steps of its end. */
async function assemble(
  options: UnboundHttpAppOptions,
): Promise<{ app: NestFastifyApplication; guests: Guests; shutdown: ShutdownSequence }> {
  const { name, logger, health = new HealthChecks(), metrics = createMetrics(name), drainDeadlineMs = DRAIN_DEADLINE_MS } = options;
  const adapter = createServer();
  const server = adapter.getInstance();
  const allowed = new AllowedMethods();
  allowed.watch(server);
  const tracker = new RequestTracker();
  tracker.install(server, { logger, metrics });
  const guests = new Guests(server);
  health.add('draining', () => (tracker.draining ? 'the instance is shutting down' : null));
  addProbes(server, { health, metrics, isPrivate: (socket) => !guests.has(socket) });

  const app = await NestFactory.create<NestFastifyApplication>(options.module, adapter, {
    logger: false,
    abortOnError: false,
    bodyParser: false,
  });
  app.useGlobalFilters(new ProblemFilter({ logger, allowed }));

  // Runs from the last step to the first: refuse, drain, wait for what is open, then close server and providers.
  const shutdown = new ShutdownSequence(logger);
  shutdown.add('http server and providers', () => app.close());
  shutdown.add('connections taken over', async () => guests.close());
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
  return { app, guests, shutdown };
}

/**
 * Starts a Nest app on Fastify with probes, request log, problem+json errors and ordered shutdown, on connections that are handed to it.
 * @throws what a provider throws at start.
 */
export async function startUnboundHttpApp(options: UnboundHttpAppOptions): Promise<UnboundHttpApp> {
  const { app, guests, shutdown } = await assemble(options);
  try {
    await app.init();
    await app.getHttpAdapter().getInstance().ready();
  } catch (error) {
    await shutdown.close();
    throw error;
  }
  return { url: null, get: (token) => app.get(token), accept: (socket) => guests.accept(socket), close: () => shutdown.close() };
}

/**
 * Starts a Nest app on Fastify with probes, metrics, request log, problem+json errors and ordered shutdown.
 * @throws RunnelError `port_in_use`; what a provider throws at start.
 */
export async function startHttpApp(options: HttpAppOptions): Promise<HttpApp> {
  const { name, logger } = options;
  const { app, guests, shutdown } = await assemble(options);
  try {
    await app.listen(options.port, options.host);
  } catch (error) {
    await shutdown.close();
    throw listenError(error, options);
  }
  const { port } = app.getHttpServer().address() as AddressInfo;
  const url = `http://${options.host.includes(':') ? `[${options.host}]` : options.host}:${port}`;
  logger.info({ server: name, url }, 'http server listening');
  return { url, get: (token) => app.get(token), accept: (socket) => guests.accept(socket), close: () => shutdown.close() };
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
