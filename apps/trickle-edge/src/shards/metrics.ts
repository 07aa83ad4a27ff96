import { AggregatorRegistry, type Registry } from 'prom-client';

/** One metric with its values, as `Registry.getMetricsAsJSON` gives it. */
export type MetricObject = Awaited<ReturnType<Registry['getMetricsAsJSON']>>[number];

/** Labels every value of a registry with the part of the edge that it is of: `front` or the number of a shard. */
export function labelPart(registry: Registry, part: string): void {
  registry.setDefaultLabels({ app: 'trickle-edge', shard: part });
}

/**
 * Makes a registry tell the metrics of all parts: its own and what `parts` gives. Every value keeps the label of its part; the process metrics
 * that prom-client would add up are left as they are, one for each part.
 */
export function tellAllParts(registry: Registry, parts: () => Promise<readonly MetricObject[][]>): void {
  registry.metrics = async () => {
    const all = [await registry.getMetricsAsJSON(), ...(await parts())];
    for (const metrics of all) for (const metric of metrics) metric.aggregator = 'first';
    return AggregatorRegistry.aggregate(all).metrics();
  };
}
