import { HttpException } from '@nestjs/common';
import { CATALOGUE, RunnelError, toRunnelError, type ErrorCode, type FieldError } from '@runnel/errors';
import type { Problem } from '@runnel/schemas';

/** Content type of an error body (RFC 9457, section 3). */
export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

/** Fields that an error names, and characters of each of its texts: an answer to nonsense is not to be longer than the nonsense. */
const MAX_FIELDS = 32;
const MAX_TEXT_CHARS = 500;

const CODE_OF_STATUS: Partial<Record<number, ErrorCode>> = {
  400: 'invalid_request',
  404: 'not_found',
  408: 'request_timeout',
  413: 'payload_too_large',
  414: 'invalid_request',
  415: 'unsupported_media_type',
  431: 'headers_too_large',
  503: 'shutting_down',
};

/**
 * The problem+json body of an error. What went wrong inside (`internal`) is told in the log only: its message could quote anything.
 * Standard members win over details of the same name.
 */
export function toProblem(error: RunnelError, instance?: string): Problem {
  const { title, status, retryable } = CATALOGUE[error.code];
  return {
    ...error.details,
    type: `urn:runnel:error:${error.code}`,
    title,
    status,
    detail: error.code === 'internal' ? 'Something failed inside. The log of the service says what.' : shortened(error.message),
    code: error.code,
    hint: error.hint,
    retryable,
    ...(instance === undefined ? {} : { instance }),
    ...(error.fields.length === 0 ? {} : { errors: error.fields.slice(0, MAX_FIELDS).map(shortenedField) }),
  };
}

/** Maps what a framework throws (Fastify's and Nest's errors carry a status) to the catalogue; the rest as `toRunnelError`. */
export function toHttpError(thrown: unknown): RunnelError {
  if (thrown instanceof RunnelError || !(thrown instanceof Error)) return toRunnelError(thrown);
  const code = CODE_OF_STATUS[statusOf(thrown)];
  return code === undefined ? toRunnelError(thrown) : new RunnelError(code, { message: asSentence(thrown.message), cause: thrown });
}

function statusOf(error: Error): number {
  if (error instanceof HttpException) return error.getStatus();
  return 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : 500;
}

function shortenedField({ path, message }: FieldError): FieldError {
  return { path: shortened(path), message: shortened(message) };
}

function shortened(text: string): string {
  return text.length <= MAX_TEXT_CHARS ? text : `${text.slice(0, MAX_TEXT_CHARS)}…`;
}

/** One line with a full stop, as all our messages are. */
function asSentence(text: string): string {
  const line = text.split('\n', 1)[0].trim();
  return /[.!?]$/.test(line) ? line : `${line}.`;
}
