import { z } from 'zod';

const MIB = 1024 * 1024;

/** A number of MiB in the environment, bytes in the program. */
function mebibytes(defaultMib: number) {
  return z.coerce
    .number()
    .min(0.001)
    .max(4096)
    .default(defaultMib)
    .transform((value) => Math.round(value * MIB));
}

/** Environment of the edge app. */
export const TrickleEdgeConfigSchema = z.object({
  EDGE_HOST: z.string().default('127.0.0.1').describe('Address that the relay listens on.'),
  EDGE_PORT: z.coerce.number().int().min(0).max(65_535).default(8945).describe('Port of the relay; 0 takes any free one.'),
  EDGE_BASE_PATH: z.string().startsWith('/').default('/trickle/').describe('Path under which the channels stand.'),
  EDGE_PUBLIC_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('Base URL of the channels as others reach it, base path included; the listening address if absent.'),
  EDGE_OPS_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .optional()
    .describe('Port of /livez, /readyz and /metrics on EDGE_HOST; none if absent.'),
  EDGE_CREATE: z
    .enum(['off', 'explicit', 'auto'])
    .default('off')
    .describe('Who may make channels over HTTP: nobody, whoever asks, also whoever publishes to a new name.'),
  EDGE_WINDOW_SEGMENTS: z.coerce.number().int().min(2).max(1000).default(5).describe('Newest segments that a channel keeps.'),
  EDGE_WINDOW_MS: z.coerce.number().int().min(0).max(600_000).default(1000).describe('Time that older segments stay readable, ms.'),
  EDGE_WINDOW_MIB: mebibytes(64).describe('Bytes that a channel keeps at most, MiB.'),
  EDGE_SEGMENT_MIB: mebibytes(16).describe('Size of a segment at most, MiB.'),
  EDGE_IDLE_MS: z.coerce
    .number()
    .int()
    .min(1000)
    .default(300_000)
    .describe('A session or channel without a write for this long is ended, ms.'),
});
/** Values of `TrickleEdgeConfigSchema`. */
export type TrickleEdgeConfig = z.output<typeof TrickleEdgeConfigSchema>;
