import type { FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';
import type { HealthChecks } from './health.ts';

/**
 * `/livez` answers as long as the process does; `/readyz` runs the readiness checks (503 when one fails, with the reason);
 * `/metrics` is for Prometheus. They stand outside Nest, so that a fault in the app does not hide itself.
 */
export function addProbes(server: FastifyInstance, { health, metrics }: { health: HealthChecks; metrics: Registry }): void {
  server.get('/livez', async () => ({ status: 'alive' }));
  server.get('/readyz', async (_request, reply) => {
    const readiness = await health.readiness();
    return reply.code(readiness.status === 'ready' ? 200 : 503).send(readiness);
  });
  server.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.metrics()));
}
