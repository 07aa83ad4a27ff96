import { RunnelError } from '@runnel/errors';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ServerResponse } from 'node:http';
import type { Registry } from 'prom-client';
import type { Logger } from './logger.ts';
import { requestDuration } from './metrics.ts';
import { sendProblem } from './server.ts';

/** Paths that answer also while the app drains, and are not logged. */
const PROBES = new Set(['/livez', '/readyz', '/metrics']);

/** Follows each request to its end: counts, measures, logs, and refuses new ones once draining. */
export class RequestTracker {
  readonly #open = new Set<ServerResponse>();
  #draining = false;
  #idle: (() => void) | undefined;

  /** Puts the tracker before every route of an app. */
  install(server: FastifyInstance, { logger, metrics }: { logger: Logger; metrics: Registry }): void {
    const duration = requestDuration(metrics);
    server.addHook('onRequest', (request, reply, next) => {
      if (PROBES.has(request.routeOptions.url ?? '')) return next();
      const started = performance.now();
      this.#open.add(reply.raw);
      // 'close' comes in every case, also when the client left or the reply was taken over as a stream.
      reply.raw.once('close', () => {
        this.#open.delete(reply.raw);
        if (this.#open.size === 0) this.#idle?.();
        const facts = describeRequest(request, reply);
        const durationMs = Math.round(performance.now() - started);
        duration.observe(facts, durationMs / 1000);
        logger.info({ ...facts, durationMs, aborted: !reply.raw.writableFinished }, 'request');
      });
      if (!this.#draining) return next();
      reply.header('connection', 'close');
      return sendProblem(reply, new RunnelError('shutting_down', { message: 'This instance is shutting down.' }));
    });
  }

  /** Refuses new requests from now on with `shutting_down`. */
  refuse(): void {
    this.#draining = true;
  }

  /** Whether new requests are refused. */
  get draining(): boolean {
    return this.#draining;
  }

  /** Resolves when no request is open any more, at the latest after `deadlineMs`; tells how many are left. */
  async settled(deadlineMs: number): Promise<number> {
    if (this.#open.size === 0) return 0;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, deadlineMs);
    this.#idle = resolve;
    await promise;
    clearTimeout(timer);
    return this.#open.size;
  }
}

/** The route template stands for the URL: ids in paths would make every request its own time series. */
function describeRequest(request: FastifyRequest, reply: FastifyReply): { method: string; route: string; status: string } {
  return { method: request.method, route: request.routeOptions.url ?? 'none', status: String(reply.raw.statusCode) };
}
