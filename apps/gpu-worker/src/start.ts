import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { ShutdownSequence, type RunningService } from '@runnel/service';
import { WorkerModule, type GpuWorkerOptions } from './worker.module.ts';

/** Bound on a worker's whole shutdown, in milliseconds: its sessions end side by side, each step within its own deadline. */
const CLOSE_DEADLINE_MS = 30_000;

/**
 * Starts a worker: it announces itself on the bus and runs sessions until it is closed. `close` ends its sessions and leaves no child process.
 * @throws RunnelError `invalid_config` when a module of WORKER_PROCESSORS cannot be used.
 */
export async function startGpuWorker(options: GpuWorkerOptions): Promise<RunningService> {
  const app = await NestFactory.createApplicationContext(WorkerModule.register(options), { logger: false, abortOnError: false });
  const shutdown = new ShutdownSequence(options.logger);
  shutdown.add('gpu worker', () => app.close(), { deadlineMs: CLOSE_DEADLINE_MS });
  return { url: null, close: () => shutdown.close() };
}
