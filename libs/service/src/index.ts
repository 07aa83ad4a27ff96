export { loadConfig, redactConfig } from './config.ts';
export { endsWithin, within } from './deadline.ts';
export { createLogger, LOG_LEVELS, type Logger, type LoggerOptions } from './logger.ts';
export { redactLine } from './redact.ts';
export { CHECK_DEADLINE_MS, HealthChecks, type HealthCheck, type Readiness } from './health.ts';
export { createMetrics } from './metrics.ts';
export { PROBLEM_MEDIA_TYPE, toHttpError, toProblem } from './problem.ts';
export { ShutdownSequence, STEP_DEADLINE_MS } from './shutdown.ts';
export { ZodPipe, parseRequest } from './validation.ts';
export { GUEST_DEADLINE_MS, MAX_GUESTS } from './guests.ts';
export {
  DRAIN_DEADLINE_MS,
  startHttpApp,
  startUnboundHttpApp,
  type HttpApp,
  type HttpAppOptions,
  type RunningService,
  type UnboundHttpApp,
  type UnboundHttpAppOptions,
} from './http-app.ts';
export { CONNECTION_TIMEOUT_MS, MAX_BODY_BYTES } from './server.ts';
