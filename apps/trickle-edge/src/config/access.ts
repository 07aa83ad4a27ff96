import { z } from 'zod';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** Who may use channels (Trickle spec, Capability URLs). */
export const ACCESS = {
  EDGE_TOKEN_KEYS_FILE: z
    .string()
    .optional()
    .describe(
      'File with the keys of capability URLs: one or two lines from `runnel token key`, newest first; read again when it changes and on SIGHUP. If absent, URLs have no tokens.',
    ),
  EDGE_TOKEN_TTL_MS: z.coerce
    .number()
    .int()
    .min(MINUTE_MS)
    .max(366 * DAY_MS)
    .default(DAY_MS)
    .describe(
      "How long a session may last where there are keys, ms: it is ended in order then, before its URLs expire. A key's successor may be added at any time; the key itself has to stay as long as this after.",
    ),
  EDGE_OPEN: z
    .enum(['loopback', 'true', 'false'])
    .default('loopback')
    .describe(
      "Without keys whoever knows a channel's name may use it. loopback: only where EDGE_HOST is a loopback address; true: anywhere; false: nowhere.",
    ),
};
