import { RunnelError } from '@runnel/errors';
import { z } from 'zod';

/**
 * Reads an app's configuration. The keys of the schema are the names of the environment variables, which an empty value leaves
 * unset; mark secrets with `.meta({ secret: true })`.
 * @throws RunnelError `invalid_config` that names every wrong setting at once; values of secrets are left out.
 */
export function loadConfig<S extends z.ZodObject>(schema: S, env: Readonly<Record<string, string | undefined>>): z.output<S> {
  const names = Object.keys(schema.shape);
  const given = Object.fromEntries(names.filter((name) => env[name]).map((name) => [name, env[name]]));
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const fields = result.error.issues.map((issue) => {
    const name = issue.path.join('.');
    const value = given[name] === undefined ? 'not set' : isSecret(schema, name) ? '[redacted]' : `'${given[name]}'`;
    // A message about a secret could quote it, so it says only that it is wrong.
    return { path: name, message: isSecret(schema, name) ? `is not valid (${value})` : `${issue.message} (${value})` };
  });
  throw new RunnelError('invalid_config', {
    message: `Wrong settings: ${fields.map(({ path, message }) => `${path}: ${message}`).join('; ')}.`,
    fields,
  });
}

/** The configuration as it may be logged: secrets are replaced. */
export function redactConfig<S extends z.ZodObject>(schema: S, config: z.output<S>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(config).map(([name, value]) => [name, isSecret(schema, name) && value !== undefined ? '[redacted]' : value]),
  );
}

/** Metadata may sit on the inner type of a default or an optional. */
function isSecret(schema: z.ZodObject, name: string): boolean {
  let type: unknown = schema.shape[name];
  while (type instanceof z.ZodType) {
    if (type.meta()?.secret === true) return true;
    type = 'innerType' in type.def ? type.def.innerType : undefined;
  }
  return false;
}
