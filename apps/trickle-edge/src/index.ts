export { EDGE_METRICS } from './metrics/registry.ts';
export type { MetricFacts } from './metrics/facts.ts';
export { TrickleEdgeConfigSchema, type TrickleEdgeConfig } from './config.ts';
export { readSigningKeys } from './keys.ts';
export { runTrickleEdge, type RunOptions } from './run.ts';
export { startTrickleEdge, type TrickleEdge, type TrickleEdgeOptions } from './start.ts';
