/** `npm run reference`: writes docs/reference from the catalogue, the config schemas, the metrics and the HTTP schemas. Needs a build. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CATALOGUE } from '@runnel/errors';
import { GpuWorkerConfigSchema } from '@runnel/gpu-worker';
import { openApiDocument, SessionBrokerConfigSchema } from '@runnel/session-broker';
import { EDGE_METRICS, TrickleEdgeConfigSchema } from '@runnel/trickle-edge';
import { referencePages } from './reference/pages.mjs';

const folder = join(import.meta.dirname, '..', 'docs', 'reference');
const pages = referencePages({
  catalogue: CATALOGUE,
  openApi: openApiDocument(),
  metrics: EDGE_METRICS,
  configs: { 'session-broker': SessionBrokerConfigSchema, 'trickle-edge': TrickleEdgeConfigSchema, 'gpu-worker': GpuWorkerConfigSchema },
});
mkdirSync(folder, { recursive: true });
for (const [name, text] of Object.entries(pages)) {
  writeFileSync(join(folder, name), text);
  process.stdout.write(`docs/reference/${name}\n`);
}
