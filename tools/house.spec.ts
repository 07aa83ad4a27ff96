import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

/** Most files are short enough to be read whole. */
const MEDIAN_LINES = 100;
/** No file is so long that nobody reads it. */
const MOST_LINES = 500;

const root = join(import.meta.dirname, '..');
const list = (...args: string[]) => execFileSync('git', ['ls-files', '-z', ...args], { cwd: root, encoding: 'utf8' }).split('\0');
const deleted = new Set(list('--deleted'));
const texts = new Map(
  list('--cached', '--others', '--exclude-standard')
    .filter((name) => name !== '' && !deleted.has(name) && !name.endsWith('.onnx'))
    .map((name) => [name, readFileSync(join(root, name), 'utf8')]),
);
const code = [...texts].filter(([name]) => /\.(?:ts|mjs)$/.test(name));
const lengths = new Map(code.map(([name, text]) => [name, text.split('\n').length - 1]));

/** `file: match` for each place in the given files where a pattern is found. */
function places(files: Iterable<[string, string]>, pattern: RegExp): string[] {
  return [...files].flatMap(([name, text]) => [...text.matchAll(pattern)].map(([match]) => `${name}: ${match.trim()}`));
}

const prose = [...texts].filter(([name]) => name !== 'package-lock.json');

describe('the house', () => {
  it('has short source files', () => {
    const sources = [...lengths].filter(([name]) => !name.endsWith('.spec.ts')).map(([, lines]) => lines);
    expect(sources.length).toBeGreaterThan(100);
    expect(sources.toSorted((a, b) => a - b)[sources.length >> 1]).toBeLessThan(MEDIAN_LINES);
    expect([...lengths].filter(([, lines]) => lines > MOST_LINES)).toEqual([]);
  });

  it('leaves nothing for later', () => {
    expect(places(prose, new RegExp(`\\b(?:${['TO', 'FIX'].map((half, at) => half + ['DO', 'ME'][at]).join('|')})\\b.*`, 'g'))).toEqual([]);
  });

  it('imports its own files by their whole name', () => {
    const relative = /(?:from|import)\s*\(?\s*'\.{1,2}\/[^']*(?<!\.ts|\.mjs|\.json)'/g;
    expect(['import', "'./a'"].join(' ')).toMatch(relative);
    expect(places(code, relative)).toEqual([]);
  });

  it('names no path of a machine', () => {
    const machines = /(?<![\w.}/])\/(?:home|root|Users|work|mnt|opt|private)\/\w+/g;
    expect(['cd ', 'home', 'ada'].join('/')).toMatch(machines);
    expect(places(texts, machines)).toEqual([]);
    const here = [root, homedir()].filter((path) => path.split('/').length > 2);
    expect([...texts].filter(([, text]) => here.some((path) => text.includes(path))).map(([name]) => name)).toEqual([]);
  });

  it('names no package registry: whoever installs uses their own', () => {
    const lockfile: [string, string][] = [['package-lock.json', texts.get('package-lock.json')!]];
    const settings = [...texts].filter(([name]) => name.endsWith('.npmrc'));
    const hosts = /https?:\/\/[\w.-]*(?:registry|artifactory|nexus|verdaccio|mirror)[\w.-]*/g;
    expect(['https:', '', 'registry.example.com'].join('/')).toMatch(hosts);
    expect(places(lockfile, /"resolved": "https?:[^"]*"/g)).toEqual([]);
    expect(places(settings, /registry.*/g)).toEqual([]);
    expect(places(texts, hosts)).toEqual([]);
  });

  it('runs the Node that it brings, by path: a shell remembers where it found `node` before the set-up brought another', () => {
    const { scripts } = JSON.parse(texts.get('package.json')!) as { scripts: Record<string, string> };
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(['check', 'test', 'demo', 'start', 'runnel', 'bench']));
    for (const [name, script] of Object.entries(scripts)) {
      const [setUp, ...after] = script.split(' && ');
      expect({ name, setUp }).toEqual({ name, setUp: expect.stringMatching(/^node tools\/setup\.mjs( --build)?$/) });
      expect({ name, after: after.filter((command) => command.startsWith('node ')) }).toEqual({ name, after: [] });
    }
  });
});
