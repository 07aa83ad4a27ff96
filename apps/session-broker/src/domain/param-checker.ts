import { RunnelError, type FieldError } from '@runnel/errors';
import type { OfferedProcessor, ParamValues } from '@runnel/schemas';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';

/** Compiled schemas that are kept; the oldest goes first. */
const MAX_COMPILED = 256;

/** Fields that an error names. */
const MAX_FIELDS = 32;

/** Checks parameter values against the JSON Schemas (2020-12) that workers publish. */
export class ParamChecker {
  readonly #compiled = new Map<string, ValidateFunction>();

  /**
   * Returns a checked copy, with the schema's defaults filled in.
   * @throws RunnelError `invalid_params` with one entry in `fields` for each thing that is wrong, of the first 32.
   */
  check({ processor, paramsSchema }: OfferedProcessor, values: ParamValues): ParamValues {
    const validate = this.#validator(processor, paramsSchema);
    const copy = structuredClone(values);
    if (validate(copy)) return copy;
    const fields = (validate.errors ?? []).slice(0, MAX_FIELDS).map(toField);
    throw new RunnelError('invalid_params', {
      message: `The parameters do not fit '${processor}': ${fields.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ')}.`,
      fields,
    });
  }

  #validator(processor: string, schema: Record<string, unknown>): ValidateFunction {
    const key = JSON.stringify(schema);
    const known = this.#compiled.get(key);
    if (known !== undefined) return known;
    let compiled: ValidateFunction;
    try {
      compiled = new Ajv2020({ allErrors: true, useDefaults: true, strict: false, validateFormats: false, logger: false }).compile(schema);
    } catch (cause) {
      throw new RunnelError('internal', { message: `The parameter schema of '${processor}' is not a JSON Schema.`, cause });
    }
    if (this.#compiled.size >= MAX_COMPILED) this.#compiled.delete(this.#compiled.keys().next().value!);
    this.#compiled.set(key, compiled);
    return compiled;
  }
}

/** `/color` → `color`; a missing or unknown property is named where it is missing or unknown. */
function toField({ instancePath, params, message, keyword }: ErrorObject): FieldError {
  const at = instancePath.split('/').slice(1);
  const named = (params as Record<string, unknown>)[keyword === 'required' ? 'missingProperty' : 'additionalProperty'];
  if (keyword === 'additionalProperties') return { path: [...at, named].join('.'), message: 'is not a parameter' };
  if (keyword === 'required') return { path: [...at, named].join('.'), message: 'is missing' };
  const allowed = keyword === 'enum' ? `: ${(params as { allowedValues: unknown[] }).allowedValues.join(', ')}` : '';
  return { path: at.join('.'), message: `${message ?? keyword}${allowed}` };
}
