import { describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MODELS } from './make-model.mjs';

const folder = join(import.meta.dirname, '..', 'libs', 'worker', 'models');

describe('the model maker', () => {
  it('makes each model that is checked in, byte for byte, and no other', () => {
    expect(readdirSync(folder).toSorted()).toEqual(Object.keys(MODELS).toSorted());
    for (const [name, make] of Object.entries(MODELS)) expect(Buffer.from(make())).toEqual(readFileSync(join(folder, name)));
  });
});
