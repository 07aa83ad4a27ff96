import { z } from 'zod';

/** Environment of the worker app. */
export const GpuWorkerConfigSchema = z.object({
  WORKER_ID: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/)
    .optional()
    .describe('Name of this worker on the bus; random if absent.'),
  WORKER_SLOTS: z.coerce.number().int().min(1).max(64).default(2).describe('Sessions that may run at once.'),
  WORKER_PROCESSORS: z
    .string()
    .default('')
    .describe(
      'Modules with processors of your own, separated by commas: paths or package names; each exports a definition or an array of them as default.',
    ),
  WORKER_ON_ERROR: z
    .enum(['hold', 'drop', 'passthrough'])
    .default('hold')
    .describe('What is sent for a frame whose processor failed: the last good one, nothing, or the frame as it came in.'),
  WORKER_QUEUE_DEPTH: z.coerce
    .number()
    .int()
    .min(1)
    .max(30)
    .default(2)
    .describe('Frame intervals by which a processor may lag behind the source before frames are dropped.'),
  WORKER_MEMORY_MB: z.coerce.number().int().min(128).default(2048).describe('Resident memory at which a session is ended, MiB.'),
  WORKER_START_DEADLINE_MS: z.coerce.number().int().min(1000).default(60_000).describe('Time that a processor may take to load, ms.'),
  WORKER_IDLE_MS: z.coerce.number().int().min(1000).default(300_000).describe('A session without input for this long is ended, ms.'),
});
/** Values of `GpuWorkerConfigSchema`. */
export type GpuWorkerConfig = z.output<typeof GpuWorkerConfigSchema>;
