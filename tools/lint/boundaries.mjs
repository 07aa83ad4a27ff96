/**
 * The floor order of docs/2-architecture.md as a lint rule: a library may import from floors below its own, never from beside or
 * above; apps import libraries; only `apps/runnel`, the composition root of solo mode, imports other apps.
 */
import { relative, resolve, sep } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..', '..');

/** Floor of each library, lowest first. A new library is added here and in the architecture page. */
export const FLOORS = {
  errors: 0,
  schemas: 0,
  'trickle-core': 1,
  'media-core': 1,
  'trickle-http': 2,
  media: 2,
  bus: 2,
  worker: 2,
  service: 3,
  trickle: 3,
};

/** `{kind, name}` of the package that holds a file, or null for files outside libs and apps. */
function packageOfFile(file) {
  const [kind, name] = relative(ROOT, file).split(sep);
  return kind === 'libs' || kind === 'apps' ? { kind, name } : null;
}

/** Why `from` may not import `specifier` (an npm-style specifier or a relative path already resolved), or null when it may. */
export function violation(from, specifier, file) {
  if (specifier.startsWith('.')) {
    const target = packageOfFile(resolve(file, '..', specifier));
    const leaves = target === null || target.kind !== from.kind || target.name !== from.name;
    return leaves ? `Import other packages by name (@runnel/…), not by path.` : null;
  }
  const match = /^@runnel\/([^/]+)(\/.*)?$/.exec(specifier);
  if (match === null) return null;
  const [, name, deep] = match;
  if (deep !== undefined && deep !== '/package.json') return `Import '@runnel/${name}' by its entry, not its inside.`;
  const floor = FLOORS[name];
  if (floor === undefined) {
    return from.kind === 'apps' && from.name === 'runnel'
      ? null
      : `'@runnel/${name}' is an app (or has no floor in tools/lint/boundaries.mjs); only apps/runnel composes apps.`;
  }
  if (from.kind === 'apps' || name === from.name) return null;
  const own = FLOORS[from.name];
  if (own === undefined) return `libs/${from.name} has no floor in tools/lint/boundaries.mjs.`;
  return floor < own
    ? null
    : `libs/${from.name} (floor ${own}) may not import '@runnel/${name}' (floor ${floor}): only floors below its own.`;
}

const boundaries = {
  create(context) {
    const file = context.filename ?? context.getFilename();
    const from = packageOfFile(file);
    if (from === null) return {};
    const check = (node) => {
      const source = node.source;
      if (source?.type !== 'Literal' || typeof source.value !== 'string') return;
      const message = violation(from, source.value, file);
      if (message !== null) context.report({ node: source, message });
    };
    return { ImportDeclaration: check, ExportNamedDeclaration: check, ExportAllDeclaration: check, ImportExpression: check };
  },
};

export default boundaries;
