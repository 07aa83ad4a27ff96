import { z } from 'zod';

/** Configuration of the session broker: names of environment variables, with defaults. Times are milliseconds. */
export const SessionBrokerConfigSchema = z.object({
  BROKER_HOST: z.string().default('127.0.0.1').describe('Address that the HTTP API listens on.'),
  BROKER_PORT: z.coerce.number().int().min(0).max(65_535).default(8080).describe('Port of the HTTP API; 0 takes any free one.'),
  BROKER_MAX_SESSIONS: z.coerce.number().int().min(1).max(100_000).default(1000).describe('Most sessions that may be alive at once.'),
  BROKER_PLACE_DEADLINE_MS: z.coerce
    .number()
    .int()
    .min(1)
    .default(5000)
    .describe('How long the edge may take to make the channels of a session.'),
  BROKER_START_DEADLINE_MS: z.coerce
    .number()
    .int()
    .min(1)
    .default(65_000)
    .describe('How long a worker may take to start a session; longer than its WORKER_START_DEADLINE_MS, so that its own reason is told.'),
  BROKER_STOP_DEADLINE_MS: z.coerce.number().int().min(1).default(15_000).describe('How long a worker may take to end a session.'),
  BROKER_SILENCE_MS: z.coerce
    .number()
    .int()
    .min(1)
    .default(30_000)
    .describe('A running session of which nothing is heard for this long is lost.'),
  BROKER_WORKER_TTL_MS: z.coerce
    .number()
    .int()
    .min(1)
    .default(15_000)
    .describe('A worker that does not announce itself for this long gets no new session.'),
  BROKER_KEEP_ALIVE_MS: z.coerce
    .number()
    .int()
    .min(1)
    .default(10_000)
    .describe('Time between keep-alives on the control channel of a session.'),
});
/** Values of `SessionBrokerConfigSchema`. */
export type SessionBrokerConfig = z.output<typeof SessionBrokerConfigSchema>;
