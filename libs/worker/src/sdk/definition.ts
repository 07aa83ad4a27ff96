import { RunnelError } from '@runnel/errors';
import type { OfferedProcessor, ParamValues } from '@runnel/schemas';
import { z } from 'zod';
import type { FrameProcessor } from './processor.ts';

const NAME = /^[a-z][a-z0-9-]{0,63}$/;

/** A processor as it is offered: what clients may ask for, and how an instance is made. */
export interface ProcessorDefinition<Schema extends z.ZodObject = z.ZodObject> {
  /** Unique on a worker: small letters, digits and dashes. */
  readonly name: string;
  /** One sentence for the list of capabilities. */
  readonly description: string;
  /** Parameters: `z.strictObject` of fields with defaults. A field without a default must be given at the session's start. */
  readonly params: Schema;
  /** A new instance for a session. */
  create(): FrameProcessor<Schema>;
}

/** Checks a definition and gives it its type. @throws RunnelError `invalid_config` that says what is wrong. */
export function defineProcessor<Schema extends z.ZodObject>(definition: ProcessorDefinition<Schema>): ProcessorDefinition<Schema> {
  const { name, params } = definition;
  if (!NAME.test(name))
    throw new RunnelError('invalid_config', { message: `'${name}' is not a processor's name: use small letters, digits and dashes.` });
  if (params.def.catchall?._zod.def.type !== 'never')
    throw new RunnelError('invalid_config', {
      message: `The parameters of '${name}' must be a z.strictObject, so that misspelt names are told.`,
    });
  return definition;
}

/** What a worker publishes of a processor; parameters as JSON Schema 2020-12. */
export function describeProcessor(definition: ProcessorDefinition): OfferedProcessor {
  const { name, description, params } = definition;
  return { processor: name, description, paramsSchema: z.toJSONSchema(params, { io: 'input' }) };
}

/**
 * Parameters with defaults filled in.
 * @throws RunnelError `invalid_params` that names each wrong field, also in `fields`.
 */
export function parseParams<Schema extends z.ZodObject>(definition: ProcessorDefinition<Schema>, values: ParamValues): z.output<Schema> {
  const parsed = definition.params.safeParse(values);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({ path: key, message: `is not a parameter (${known(definition)})` }))
      : [{ path: issue.path.join('.'), message: issue.message }],
  );
  const said = fields.map(({ path, message }) => `'${path}' ${message}`);
  throw new RunnelError('invalid_params', { message: `Parameters of '${definition.name}': ${said.join('; ')}.`, fields });
}

function known({ params }: ProcessorDefinition): string {
  const names = Object.keys(params.shape);
  return names.length === 0 ? 'there are none' : `there are: ${names.join(', ')}`;
}
