import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { FLOORS, violation } from './boundaries.mjs';

const root = join(import.meta.dirname, '..', '..');
const lib = (name: string) => ({ kind: 'libs', name });
const app = (name: string) => ({ kind: 'apps', name });
const check = (from: { kind: string; name: string }, specifier: string) =>
  violation(from, specifier, join(root, from.kind, from.name, 'src', 'x.ts'));

describe('layer boundaries', () => {
  it('every library has a floor', () => {
    expect(Object.keys(FLOORS).sort()).toEqual(readdirSync(join(root, 'libs')).sort());
  });

  it('allow an import from a floor below', () => {
    expect(check(lib('trickle-http'), '@runnel/trickle-core')).toBeNull();
    expect(check(app('gpu-worker'), '@runnel/media')).toBeNull();
  });

  it.each([
    ['beside', lib('worker'), '@runnel/media'],
    ['above', lib('trickle-core'), '@runnel/service'],
    ['from a library into an app', lib('service'), '@runnel/session-broker'],
    ['from an app into an app', app('session-broker'), '@runnel/gpu-worker'],
    ['by path into another package', lib('worker'), '../../media/src/index.ts'],
    ['into the inside of a package', app('gpu-worker'), '@runnel/media/src/node-av/driver.ts'],
  ])('refuse an import %s', (_, from, specifier) => {
    expect(check(from, specifier)).not.toBeNull();
  });

  it('let only the composition root import apps', () => {
    expect(check(app('runnel'), '@runnel/gpu-worker')).toBeNull();
  });
});
