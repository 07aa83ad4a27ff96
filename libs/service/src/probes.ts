import { RunnelError } from '@runnel/errors';
import type { FastifyInstance } from 'fastify';
import type { Duplex } from 'node:stream';
import type { Registry } from 'prom-client';
import type { HealthChecks } from './health.ts';
import { sendProblem } from './server.ts';

/** What the probes tell, and to whom. */
export interface ProbesOptions {
  readonly health: HealthChecks;
  readonly metrics: Registry;
  /** Whether a connection may see the metrics; for others they are not there. */
  readonly isPrivate: (socket: Duplex) => boolean;
}

/**
 * `/livez` answers as long as the process does; `/readyz` runs the readiness checks (503 when one fails, with the reason);
 * `/metrics` is for Prometheus. They stand outside Nest, so that a fault in the app does not hide itself.
 */
export function addProbes(server: FastifyInstance, { health, metrics, isPrivate }: ProbesOptions): void {
  server.get('/livez', async () => ({ status: 'alive' }));
  server.get('/readyz', async (_request, reply) => {
    const readiness = await health.readiness();
    return reply.code(readiness.status === 'ready' ? 200 : 503).send(readiness);
  });
  server.get('/metrics', async (request, reply) => {
    if (!isPrivate(request.raw.socket)) {
      sendProblem(reply, new RunnelError('not_found', { message: 'Cannot GET /metrics.', hint: 'Metrics have a port of their own.' }));
      return reply;
    }
    return reply.type(metrics.contentType).send(await metrics.metrics());
  });
}
