/**
 * `npm run pack:trickle [-- FOLDER]`: packs `@runnel/trickle` so that it can be used alone. Prints the path of the tarball, which
 * `npm publish` takes.
 *
 * npm bundles only what lies in a package's own `node_modules`, and workspaces do not. So the package is put together in a temporary folder, each part with the
 * compiled files that its entry reaches, and packed there.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const target = resolve(process.argv[2] ?? root);

/** Files that a compiled file imports by a relative path. */
function imports(file) {
  const found = readFileSync(file, 'utf8').matchAll(/(?:from|import\()\s*'(\.{1,2}\/[^']+)'/g);
  return [...found].map(([, path]) => join(dirname(file), path));
}

/** A compiled file without the name of its source map, which stays behind. */
function copyFile(from, to) {
  mkdirSync(dirname(to), { recursive: true });
  writeFileSync(to, readFileSync(from, 'utf8').replace(/\n\/\/# sourceMappingURL=.*/, ''));
}

/** Copies what a library's entry reaches, code and types, and its manifest without what only this repository needs. Returns the manifest. */
function copyLibrary(name, to) {
  const from = join(root, 'libs', name);
  const pending = [join(from, 'dist', 'index.js')];
  const seen = new Set(pending);
  for (const code of pending) {
    const types = code.replace(/\.js$/, '.d.ts');
    for (const file of [code, types]) {
      copyFile(file, join(to, relative(from, file)));
      // Types name code by its `.js`, or by the `.ts` of its source.
      for (const next of imports(file).map((path) => path.replace(/(?:\.d)?\.ts$/, '.js'))) {
        if (!seen.has(next)) pending.push(next);
        seen.add(next);
      }
    }
  }
  const {
    scripts: _scripts,
    devDependencies: _dev,
    private: _private,
    ...manifest
  } = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8'));
  delete manifest.exports['.']['@runnel/source'];
  writeFileSync(join(to, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}

const stage = mkdtempSync(join(tmpdir(), 'runnel-pack-'));
try {
  mkdirSync(target, { recursive: true });
  const { bundleDependencies } = copyLibrary('trickle', stage);
  for (const name of bundleDependencies) copyLibrary(name.replace('@runnel/', ''), join(stage, 'node_modules', name));
  cpSync(join(root, 'libs', 'trickle', 'README.md'), join(stage, 'README.md'));
  cpSync(join(root, 'LICENSE'), join(stage, 'LICENSE'));
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const packed = execFileSync(npm, ['pack', '--offline', '--ignore-scripts', '--json', '--loglevel=error', '--pack-destination', target], {
    cwd: stage,
    encoding: 'utf8',
  });
  // One package: an array of one, or an object under its name.
  const [{ filename }] = Object.values(JSON.parse(packed));
  process.stdout.write(`${join(target, filename)}\n`);
} finally {
  rmSync(stage, { recursive: true, force: true });
}
