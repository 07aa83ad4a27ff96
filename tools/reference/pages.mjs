/** The pages of docs/reference and what they are made of: the sources in a test, the build in the tool. */
import { renderConfiguration, renderErrors, renderJson, renderMetrics } from './render.mjs';

/**
 * File name under docs/reference → text.
 * @param {{
 *   catalogue: Parameters<typeof renderErrors>[0],
 *   openApi: unknown,
 *   metrics: Parameters<typeof renderMetrics>[0],
 *   configs: Record<string, {toJSONSchema(options: object): Parameters<typeof renderConfiguration>[0][number]['schema']}>,
 * }} facts `configs` holds the config schema of each app
 */
export function referencePages({ catalogue, openApi, metrics, configs }) {
  // As the environment gives them: before units are turned into what the program counts in.
  const apps = Object.entries(configs).map(([app, schema]) => ({
    app,
    schema: schema.toJSONSchema({ io: 'input', unrepresentable: 'any' }),
  }));
  return {
    'configuration.md': renderConfiguration(apps),
    'errors.md': renderErrors(catalogue),
    'metrics.md': renderMetrics(metrics),
    'openapi.json': renderJson(openApi),
  };
}
