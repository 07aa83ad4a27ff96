import { RunnelError } from '@runnel/errors';
import { pino } from 'pino';
import { redactLine } from './redact.ts';

/** Structured logger (pino). Log objects first, then one short sentence: `logger.info({ sessionId }, 'session started')`. */
export type Logger = pino.Logger;

/** Levels of a logger, gravest first; `silent` writes nothing. */
export const LOG_LEVELS = ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;

/** How an app logs. */
export interface LoggerOptions {
  /** Name of the app, in every line. */
  name: string;
  /** Lowest level that is written: one of `LOG_LEVELS`. */
  level: string;
  /** Where lines go. Default: standard error, as standard output belongs to what a command produces. */
  destination?: { write(line: string): void };
  /** Paths of URLs that hold no secret and are written whole. */
  openPaths?: readonly string[];
}

/**
 * A logger that writes JSON lines. Secrets are taken out of each finished line (`redactLine`), so that no call can forget it.
 * @throws RunnelError `invalid_config` for an unknown level.
 */
export function createLogger({ name, level, destination, openPaths = [] }: LoggerOptions): Logger {
  if (!(LOG_LEVELS as readonly string[]).includes(level)) {
    throw new RunnelError('invalid_config', { message: `'${level}' is not a log level; it can be ${LOG_LEVELS.join(', ')}.` });
  }
  return pino(
    {
      name,
      level,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: pino.stdSerializers.errWithCause },
      hooks: { streamWrite: (line) => redactLine(line, openPaths) },
    },
    destination ?? pino.destination({ fd: 2, sync: true }),
  );
}
