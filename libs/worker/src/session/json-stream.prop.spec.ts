import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { splitJson } from './json-stream.ts';

describe('splitJson', () => {
  it('finds every value in any number of objects and arrays, however they are spaced', () => {
    const value = fc.oneof(fc.dictionary(fc.string(), fc.jsonValue()), fc.array(fc.jsonValue()));
    const gap = fc.constantFrom('', ' ', '\n', '\r\n\t');
    fc.assert(
      fc.property(fc.array(fc.tuple(value, gap)), (values) => {
        const text = values.map(([of, space]) => JSON.stringify(of) + space).join('');
        expect(splitJson(text)).toEqual(values.map(([of]) => JSON.stringify(of)));
      }),
    );
  });

  it('leaves what is no JSON as one piece', () => {
    expect(splitJson('{"a":1} oops ')).toEqual(['{"a":1}', 'oops']);
    expect(splitJson('{"a":')).toEqual(['{"a":']);
    expect(splitJson(' \n')).toEqual([]);
  });
});
