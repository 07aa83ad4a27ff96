import { z } from 'zod';
import { port } from './fields.ts';

/** Where the edge listens, and how others reach it. */
export const LISTENING = {
  EDGE_HOST: z.string().default('127.0.0.1').describe('Address that the relay listens on; `::` is every address, IPv4 too.'),
  EDGE_PORT: port().default(8945).describe('Port of the relay; 0 takes any free one. It answers /livez and /readyz too.'),
  EDGE_BASE_PATH: z.string().startsWith('/').default('/trickle/').describe('Path under which the channels stand.'),
  EDGE_PUBLIC_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('Base URL of the channels as others reach it, base path included; the listening address if absent.'),
  EDGE_OPS_HOST: z.string().optional().describe('Address of EDGE_OPS_PORT; EDGE_HOST if absent.'),
  EDGE_OPS_PORT: port().optional().describe('Port of /metrics, and of /livez and /readyz once more; none if absent.'),
};
