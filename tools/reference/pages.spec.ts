import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { CATALOGUE } from '@runnel/errors';
import { GpuWorkerConfigSchema } from '@runnel/gpu-worker';
import { openApiDocument, SessionBrokerConfigSchema } from '@runnel/session-broker';
import { EDGE_METRICS, TrickleEdgeConfigSchema } from '@runnel/trickle-edge';
import { referencePages } from './pages.mjs';

const root = join(import.meta.dirname, '..', '..');
const committed = (name: string) => readFileSync(join(root, 'docs', 'reference', name), 'utf8');
const pages = referencePages({
  catalogue: CATALOGUE,
  openApi: openApiDocument(),
  metrics: EDGE_METRICS,
  configs: { 'session-broker': SessionBrokerConfigSchema, 'trickle-edge': TrickleEdgeConfigSchema, 'gpu-worker': GpuWorkerConfigSchema },
});

describe('docs/reference', () => {
  it.each(Object.entries(pages))('%s is what the code says; `npm run reference` writes it', (name, text) => {
    expect(committed(name)).toBe(text);
  });

  it('names every environment variable that the sources read', () => {
    const sources = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', 'apps/*/src/*', 'libs/*/src/*'], {
      cwd: root,
      encoding: 'utf8',
    });
    const read = new Set<string>();
    for (const file of sources
      .split('\n')
      .filter((name) => name.endsWith('.ts') && !name.includes('.spec.') && !name.includes('/testing/'))) {
      for (const match of sourceOf(file).matchAll(
        /process\.env(?:\.([A-Z][A-Z0-9_]+)\b|\['([A-Z][A-Z0-9_]+)'\])(?!\s*=[^=])|^\s+((?:BROKER|EDGE|WORKER)_[A-Z_]+):/gm,
      )) {
        read.add(match[1] ?? match[2] ?? match[3]);
      }
    }
    expect(read.size).toBeGreaterThan(10);
    const page = committed('configuration.md');
    expect([...read].filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
  });

  it('gives every schema of the OpenAPI document a place, and every operation an id', () => {
    const document = JSON.parse(pages['openapi.json']) as {
      openapi: string;
      components: { schemas: object };
      paths: Record<string, Record<string, { operationId?: string }>>;
    };
    expect(document.openapi).toMatch(/^3\.1\./);
    const text = pages['openapi.json'];
    const refs = new Set([...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name));
    expect([...refs].filter((name) => !(name in document.components.schemas))).toEqual([]);
    const ids = Object.values(document.paths).flatMap((path) => Object.values(path).map(({ operationId }) => operationId));
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).not.toContain(undefined);
  });
});

/** A file that was deleted but not committed yet reads as empty. */
function sourceOf(file: string): string {
  try {
    return readFileSync(join(root, file), 'utf8');
  } catch {
    return '';
  }
}
