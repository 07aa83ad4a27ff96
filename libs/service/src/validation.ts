import type { PipeTransform } from '@nestjs/common';
import { RunnelError } from '@runnel/errors';
import type { z } from 'zod';

/** Levels of nesting that a request may have: what works through it recursively must not run out of stack. */
const MAX_NESTING = 64;

/**
 * Checks a part of a request: nesting up to `MAX_NESTING`, then the schema.
 * @throws RunnelError `invalid_request` with one entry in `fields` for each thing that is wrong.
 */
export function parseRequest<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  if (isDeeper(value, MAX_NESTING)) {
    throw new RunnelError('invalid_request', { message: `The request is nested deeper than ${MAX_NESTING} levels.` });
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const fields = result.error.issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message }));
  const first = fields[0];
  throw new RunnelError('invalid_request', {
    message: `The request is not valid: ${first.path === '' ? '' : `${first.path}: `}${first.message}${fields.length > 1 ? ` (and ${fields.length - 1} more)` : ''}.`,
    fields,
  });
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1));
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
