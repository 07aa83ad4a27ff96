import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { Command } from 'commander';
import { createProgram } from './cli/program.ts';

const root = join(import.meta.dirname, '..', '..', '..');

function markdownFiles(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.md'))
    .map((entry) => join(entry.parentPath, entry.name));
}

const pages = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'libs/worker/README.md']
  .map((name) => join(root, name))
  .concat(markdownFiles('docs'));

/** The long flags of a command and of the commands below it. */
function flagsOf(command: Command): string[] {
  return [...command.options.map((option) => option.long ?? ''), ...command.commands.flatMap(flagsOf)];
}

describe('the documents', () => {
  it.each(pages.map((page) => [page.slice(root.length + 1), page]))('%s links only to what exists', (_, page) => {
    const text = readFileSync(page, 'utf8');
    const targets = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)(#[^)]*)?\)/g)].map((match) => match[1]);
    expect(targets.filter((target) => !existsSync(resolve(dirname(page), target)))).toEqual([]);
  });

  it('name only flags that the command line has', () => {
    const known = new Set([...flagsOf(createProgram()), '--help', '--silent', '--no-save']);
    const named = pages
      .filter((page) => !page.includes('/adr/'))
      .flatMap((page) =>
        [...readFileSync(page, 'utf8').matchAll(/(?:runnel|demo|start|publish|play|inspect)[^\n|`]*?\s(--[a-z][a-z-]*)/g)].map(
          (match) => match[1],
        ),
      );
    expect(named.filter((flag) => !known.has(flag))).toEqual([]);
    expect(named.length).toBeGreaterThan(5);
  });

  it('are numbered in reading order without a hole', () => {
    const chapters = readdirSync(join(root, 'docs'))
      .filter((name) => /^\d+-/.test(name))
      .map((name) => Number.parseInt(name, 10));
    expect(chapters.sort((a, b) => a - b)).toEqual(chapters.map((_, index) => index + 1));
  });
});

describe('the command line', () => {
  it('explains every command with an example', () => {
    for (const command of createProgram().commands) {
      let help = '';
      command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
      expect(help).toMatch(/Examples?:|session from the shell:/);
      expect(command.description()).not.toBe('');
    }
  });
});
