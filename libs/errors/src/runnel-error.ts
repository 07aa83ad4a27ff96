import { CATALOGUE, type ErrorCode } from './catalogue.ts';

/** One field of a request that is wrong. */
export interface FieldError {
  /** Where it stands: keys joined by dots, empty for the whole body. */
  readonly path: string;
  /** What is wrong with it, for a person. */
  readonly message: string;
}

/** What an error says beyond its code. Nothing in here may hold a secret: it is shown to people and written to logs. */
export interface RunnelErrorOptions {
  /** The sentence for the person who sees it: what happened, with the value that caused it. One line. */
  message: string;
  /** What to do next, when it is more specific than the catalogue's advice. One line. */
  hint?: string;
  /** The lower error, kept for logs and never shown to a caller. */
  cause?: unknown;
  /** Machine-readable facts (a sequence number, a limit). Merged into the problem+json body. */
  details?: Record<string, string | number | boolean | null | string[]>;
  /** The fields at fault, for codes about input. Shown as `errors` in the problem+json body. */
  fields?: readonly FieldError[];
}

/**
 * The one base class of every error that Runnel throws on purpose.
 *
 * An error carries a stable `code` of the catalogue; status, exit code, retryability and advice follow from the code, so that
 * the same failure looks the same over HTTP, on the command line and in a log.
 */
export class RunnelError extends Error {
  readonly code: ErrorCode;
  readonly hint: string;
  readonly details: NonNullable<RunnelErrorOptions['details']>;
  readonly fields: readonly FieldError[];

  constructor(code: ErrorCode, options: RunnelErrorOptions) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'RunnelError';
    this.code = code;
    this.hint = options.hint ?? CATALOGUE[code].hint;
    this.details = options.details ?? {};
    this.fields = options.fields ?? [];
  }

  /** Whether the same call may succeed later without a change by the caller. */
  get retryable(): boolean {
    return CATALOGUE[this.code].retryable;
  }

  /** HTTP status that stands for this error. */
  get status(): number {
    return CATALOGUE[this.code].status;
  }

  /** Exit code of a command that ends with this error: 2 for what the user can correct, 1 for the rest. */
  get exitCode(): 1 | 2 {
    return this.status >= 400 && this.status < 500 ? 2 : 1;
  }
}

/** Narrows anything that was thrown to a RunnelError; what is not one becomes `internal` with the original as its cause. */
export function toRunnelError(thrown: unknown): RunnelError {
  if (thrown instanceof RunnelError) return thrown;
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return new RunnelError('internal', { message: `Unexpected failure: ${text}`, cause: thrown });
}
