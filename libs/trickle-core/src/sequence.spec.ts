import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { parseSequence } from './sequence.ts';

describe('parseSequence', () => {
  it('takes canonical decimals, and negative ones that count from the live edge', () => {
    expect(['0', '7', '9007199254740991', '-1', '-2', '-17'].map(parseSequence)).toEqual([0, 7, Number.MAX_SAFE_INTEGER, -1, -2, -17]);
  });

  it('refuses every other way to write a number, and what is beyond 2^53 - 1', () => {
    const wrong = [
      '',
      '-',
      '-0',
      '+1',
      '01',
      '00',
      '1.0',
      '1e3',
      '0x1',
      ' 1',
      '1 ',
      '1\n',
      '١',
      'NaN',
      '9007199254740992',
      '99999999999999999999',
    ];
    expect(wrong.map(parseSequence)).toEqual(wrong.map(() => null));
  });

  it('takes a text only if it is how the number is written', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'0123456789-+. e'.split('')) }), (text) => {
        const value = parseSequence(text);
        expect(value === null || String(value) === text).toBe(true);
      }),
    );
  });
});
