import { collectDefaultMetrics, Histogram, Registry } from 'prom-client';

/** How often the event-loop delay is sampled, in milliseconds. At 10, prom-client's own choice, an idle process does little else. */
const LOOP_SAMPLE_MS = 100;

/**
 * A metrics registry for one app, labelled with its name, with the process metrics of prom-client: memory, CPU, garbage collection
 * and event-loop delay (`nodejs_eventloop_lag_*`). One for each app, so that several in one process keep apart.
 */
export function createMetrics(app: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ app });
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LOOP_SAMPLE_MS });
  return registry;
}

/** Duration of HTTP requests in seconds, by method, route template (never the URL, which may hold ids) and status. */
export function requestDuration(registry: Registry): Histogram<'method' | 'route' | 'status'> {
  return new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Duration of HTTP requests.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [registry],
  });
}
