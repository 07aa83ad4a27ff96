export { TrickleEdgeConfigSchema, type TrickleEdgeConfig } from './config.ts';
export { startTrickleEdge, type TrickleEdge, type TrickleEdgeOptions } from './start.ts';
