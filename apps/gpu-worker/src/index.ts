export { GpuWorkerConfigSchema, type GpuWorkerConfig } from './config.ts';
export { startGpuWorker } from './start.ts';
export type { GpuWorkerOptions } from './worker.module.ts';
