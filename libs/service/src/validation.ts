import type { PipeTransform } from '@nestjs/common';
import { RunnelError } from '@runnel/errors';
import type { z } from 'zod';

/**
 * Checks a part of a request.
 * @throws RunnelError `invalid_request` with one entry in `fields` for each thing that is wrong.
 */
export function parseRequest<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const fields = result.error.issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message }));
  const first = fields[0];
  throw new RunnelError('invalid_request', {
    message: `The request is not valid: ${first.path === '' ? '' : `${first.path}: `}${first.message}${fields.length > 1 ? ` (and ${fields.length - 1} more)` : ''}.`,
    fields,
  });
}

/** Nest pipe of `parseRequest`: `@Body(new ZodPipe(CreateSession)) body`. */
export class ZodPipe<S extends z.ZodType> implements PipeTransform<unknown, z.output<S>> {
  readonly #schema: S;

  constructor(schema: S) {
    this.#schema = schema;
  }

  transform(value: unknown): z.output<S> {
    return parseRequest(this.#schema, value);
  }
}
