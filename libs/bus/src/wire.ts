import { CATALOGUE, RunnelError, toRunnelError, type ErrorCode } from '@runnel/errors';
import { z } from 'zod';

/** Largest message in bytes of UTF-8 JSON; NATS refuses more by default. */
export const MAX_MESSAGE_BYTES = 1024 * 1024;

const WireError = z.object({
  code: z.string(),
  message: z.string(),
  hint: z.string(),
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(z.string())])),
  fields: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
});
const WireReply = z.union([z.object({ ok: z.unknown() }).required(), z.object({ error: WireError })]);

/** Whose fault a misfit is: the caller's, or a bug of the peer that answers. */
type MisfitCode = Extract<ErrorCode, 'invalid_request' | 'internal'>;

/**
 * Checks a value and writes it as JSON.
 * @throws RunnelError `invalid_request` naming subject and fields; `payload_too_large`.
 */
export function encode(schema: z.ZodType, value: unknown, subject: string, misfit: MisfitCode = 'invalid_request'): string {
  const text = JSON.stringify(check(schema, value, subject, misfit));
  const bytes = Buffer.byteLength(text);
  if (bytes <= MAX_MESSAGE_BYTES) return text;
  throw new RunnelError('payload_too_large', {
    message: `A message on '${subject}' has ${bytes} bytes; the limit is ${MAX_MESSAGE_BYTES}.`,
  });
}

/** Reads JSON and checks it. @throws RunnelError `invalid_request`. */
export function decode(schema: z.ZodType, text: string, subject: string): unknown {
  return check(schema, parseJson(text, subject, 'invalid_request'), subject, 'invalid_request');
}

/** Writes the answer of a responder. @throws RunnelError `internal` when it does not fit. */
export function encodeReply(schema: z.ZodType, value: unknown, subject: string): string {
  return `{"ok":${encode(schema, value, subject, 'internal')}}`;
}

/** Writes a responder's failure; what it may tell to others is code, message, hint, details and fields, never cause or stack. */
export function encodeFailure(thrown: unknown): string {
  const { code, message, hint, details, fields } = toRunnelError(thrown);
  return JSON.stringify({ error: { code, message, hint, details, fields } });
}

/** Reads an answer: returns the responder's value, or throws its error with the same code (`internal` for codes unknown here and misfits). */
export function decodeReply(schema: z.ZodType, text: string, subject: string): unknown {
  const reply = check(WireReply, parseJson(text, subject, 'internal'), subject, 'internal') as z.output<typeof WireReply>;
  if ('ok' in reply) return check(schema, reply.ok, subject, 'internal');
  const { code, ...rest } = reply.error;
  throw new RunnelError(Object.hasOwn(CATALOGUE, code) ? (code as ErrorCode) : 'internal', rest);
}

function parseJson(text: string, subject: string, misfit: MisfitCode): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new RunnelError(misfit, { message: `A message on '${subject}' is not JSON.`, cause });
  }
}

function check(schema: z.ZodType, value: unknown, subject: string, misfit: MisfitCode): unknown {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const fields = result.error.issues.map((issue) => `${issue.path.join('.') || 'message'}: ${issue.message}`);
  throw new RunnelError(misfit, {
    message: `A message on '${subject}' does not fit its schema: ${fields.slice(0, 5).join('; ')}.`,
  });
}
