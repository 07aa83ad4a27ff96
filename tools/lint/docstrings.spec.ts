import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { constantsOf, covers, hasDocstring } from './docstrings.mjs';

const root = join(import.meta.dirname, '..', '..');

describe('which files need docstrings', () => {
  it.each(['libs/bus/src/port.ts', 'apps/runnel/src/cli/program.ts', 'libs/media/src/jobs/probe.child.ts'])('%s does', (path) => {
    expect(covers(join(root, path))).toBe(true);
  });

  it.each(['libs/bus/src/port.spec.ts', 'libs/worker/src/testing/clock.ts', 'libs/bus/src/index.ts', 'tools/lint/plugin.mjs'])(
    '%s does not',
    (path) => {
      expect(covers(join(root, path))).toBe(false);
    },
  );
});

describe('hasDocstring', () => {
  it('wants words in a docstring right before the declaration', () => {
    expect(hasDocstring('/** Milliseconds. */\n')).toBe(true);
    expect(hasDocstring('/**\n * Two\n * lines.\n */\n  ')).toBe(true);
    expect(hasDocstring('')).toBe(false);
    expect(hasDocstring('/** */\n')).toBe(false);
    expect(hasDocstring('// Milliseconds.\n')).toBe(false);
    expect(hasDocstring('/** Of another one. */\nconst other = 1;\n')).toBe(false);
  });

  it('knows the constants whose types need no second one', () => {
    expect(constantsOf('export const Session = z.object({});\nconst Hidden = 1;\n')).toEqual(new Set(['Session']));
  });
});

describe('the rule, run by the linter', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(root, 'node_modules', '.docstrings-'));
    mkdirSync(join(folder, 'libs', 'some', 'src'), { recursive: true });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Names that the rule complains about in a source. */
  function complaints(source: string): string[] {
    const file = join(folder, 'libs', 'some', 'src', 'x.ts');
    writeFileSync(file, source);
    const config = join(folder, 'oxlintrc.json');
    const plugin = join(root, 'tools', 'lint', 'plugin.mjs');
    writeFileSync(config, JSON.stringify({ jsPlugins: [plugin], categories: {}, rules: { 'runnel/docstrings': 'error' } }));
    const done = spawnSync(join(root, 'node_modules', '.bin', 'oxlint'), ['-c', config, '-f', 'json', '--no-ignore', file], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, RUNNEL_LINT_ROOT: folder },
    });
    const { diagnostics } = JSON.parse(done.stdout) as { diagnostics: { message: string; code: string }[] };
    return diagnostics.filter(({ code }) => code.includes('docstrings')).map(({ message }) => /'([^']+)'/.exec(message)![1]);
  }

  it('names every kind of export without one', () => {
    const bare = ['function a() {}', 'class B {}', 'interface C {}', 'type D = 1;', 'const e = 1;', 'async function f() {}'];
    expect(complaints(bare.map((line) => `export ${line}`).join('\n')).sort()).toEqual(['B', 'C', 'D', 'a', 'e', 'f']);
    expect(complaints(bare.map((line) => `/** What it is. */\nexport ${line}`).join('\n'))).toEqual([]);
    expect(complaints(bare.join('\n'))).toEqual([]);
  });

  it('names public methods and accessors of an exported class, and no others', () => {
    const members = 'constructor() {}\n open() {}\n get size() { return 1; }\n #hidden() {}\n private own() {}\n override run() {}';
    expect(complaints(`/** A box. */\nexport class Box extends Base {\n ${members}\n}`)).toEqual(['Box.open', 'Box.size']);
    expect(complaints(`/** A box. */\nexport class Box implements Port {\n ${members}\n}`)).toEqual([]);
    expect(complaints(`class Box {\n ${members}\n}`)).toEqual([]);
  });

  it('looks for it before the decorators', () => {
    expect(complaints('/** A part. */\n@Injectable()\nexport class Part {\n  /** Runs. */\n  @Get()\n  run() {}\n}')).toEqual([]);
    expect(complaints('@Injectable()\nexport class Part {\n  @Get()\n  run() {}\n}').sort()).toEqual(['Part', 'Part.run']);
  });

  it('lets a type share the docstring of the schema of its name', () => {
    expect(complaints('/** A session. */\nexport const Session = z.object({});\nexport type Session = z.infer<typeof Session>;')).toEqual(
      [],
    );
  });
});
