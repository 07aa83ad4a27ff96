import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { RunnelError } from '@runnel/errors';
import { BUILT_IN_PROCESSORS, defineProcessor, type ProcessorDefinition } from '@runnel/worker';

/** URLs or package names of the modules that a `WORKER_PROCESSORS` setting names. Paths are relative to the working directory. */
export function processorModules(setting: string): string[] {
  return setting
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
    .map((entry) => (/^(\.|\/|[A-Za-z]:[\\/])/.test(entry) ? pathToFileURL(resolve(entry)).href : entry));
}

/**
 * All processors on offer by name: the built-in ones and those of the modules. The worker and each of its children load them alike.
 * @throws RunnelError `invalid_config` that names the module.
 */
export async function loadProcessors(modules: readonly string[]): Promise<Map<string, ProcessorDefinition>> {
  const all = new Map(BUILT_IN_PROCESSORS.map((definition) => [definition.name, definition]));
  for (const specifier of modules) {
    for (const definition of await definitionsOf(specifier)) {
      if (all.has(definition.name))
        throw new RunnelError('invalid_config', {
          message: `WORKER_PROCESSORS: '${specifier}' offers '${definition.name}', which is taken.`,
        });
      all.set(definition.name, definition);
    }
  }
  return all;
}

async function definitionsOf(specifier: string): Promise<ProcessorDefinition[]> {
  let loaded: { default?: unknown };
  try {
    loaded = (await import(specifier)) as { default?: unknown };
  } catch (error) {
    const why = (error instanceof Error ? error.message : String(error)).split('\n')[0];
    throw new RunnelError('invalid_config', { message: `WORKER_PROCESSORS: '${specifier}' cannot be loaded: ${why}`, cause: error });
  }
  const offered = Array.isArray(loaded.default) ? loaded.default : [loaded.default];
  if (!offered.every(isDefinition))
    throw new RunnelError('invalid_config', {
      message: `WORKER_PROCESSORS: the default export of '${specifier}' is not a processor's definition.`,
      hint: 'export default defineProcessor({ name, description, params, create })',
    });
  return offered.map((definition) => defineProcessor(definition));
}

function isDefinition(value: unknown): value is ProcessorDefinition {
  const { name, description, params, create } = (value ?? {}) as Partial<ProcessorDefinition>;
  return (
    typeof name === 'string' && typeof description === 'string' && typeof params?.safeParse === 'function' && typeof create === 'function'
  );
}
