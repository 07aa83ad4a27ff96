import { toRunnelError } from '@runnel/errors';
import { CommanderError } from 'commander';

/** Writes one line for a person. People read stderr; stdout carries results only, so that it can be piped. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Writes one line of a result to stdout. */
export function result(line: string): void {
  process.stdout.write(`${line}\n`);
}

/**
 * Tells what went wrong in one line and one line of advice, without a stack trace (DEBUG=1 adds it), and gives the exit code:
 * 2 for what the user can correct, 1 for the rest. With `json` the problem is one JSON object on stdout instead.
 */
export function reportError(thrown: unknown, options: { json: boolean }): number {
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2;
  const error = toRunnelError(thrown);
  if (options.json)
    result(JSON.stringify({ error: { code: error.code, message: error.message, hint: error.hint, retryable: error.retryable } }));
  else say(`error: ${error.message} ${error.hint} [${error.code}]`);
  if (process.env['DEBUG'] === '1') say(String(error.cause instanceof Error ? error.cause.stack : error.stack));
  return error.exitCode;
}
