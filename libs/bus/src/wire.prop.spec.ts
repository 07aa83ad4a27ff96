import { describe, expect, it } from '@jest/globals';
import { CATALOGUE, RunnelError, type ErrorCode } from '@runnel/errors';
import * as fc from 'fast-check';
import { z } from 'zod';
import { subjectMatches, subjectOf, varsOf } from './subject.ts';
import { decode, decodeReply, encode, encodeFailure, encodeReply } from './wire.ts';

const token = fc.stringMatching(/^[A-Za-z0-9_-]{1,20}$/);

describe('A subject', () => {
  it('gives back the values that filled it, and matches its own pattern', () => {
    fc.assert(
      fc.property(token, token, (a, b) => {
        const subject = subjectOf('x.{a}.y.{b}', { a, b }, { wildcards: false });
        expect(varsOf('x.{a}.y.{b}', subject)).toEqual({ a, b });
        expect(subjectMatches(subjectOf('x.{a}.y.{b}', { a: '*', b }, { wildcards: true }), subject)).toBe(true);
        expect(subjectMatches(`${subject}.more`, subject)).toBe(false);
      }),
    );
  });

  it('never takes a value that would change its shape', () => {
    fc.assert(
      fc.property(
        fc.string().filter((text) => !/^[A-Za-z0-9_-]{1,128}$/.test(text)),
        (text) => expect(() => subjectOf('x.{a}', { a: text }, { wildcards: false })).toThrow(RunnelError),
      ),
    );
  });
});

describe('The wire format', () => {
  it('returns every JSON value and every reply as it was', () => {
    fc.assert(
      // A key that would be taken for the prototype is left out: the next test.
      fc.property(
        fc.json().filter((text) => !text.includes('__proto__')),
        (text) => {
          const value: unknown = JSON.parse(text);
          expect(decode(z.json(), encode(z.json(), value, 's'), 's')).toEqual(value);
          expect(decodeReply(z.json(), encodeReply(z.json(), value, 's'), 's')).toEqual(value);
        },
      ),
    );
  });

  it('leaves out a key that could poison a prototype', () => {
    const value: unknown = JSON.parse('{"a":1,"__proto__":{"admin":true}}');
    const seen = decode(z.json(), encode(z.json(), value, 's'), 's') as { admin?: boolean };
    expect([Object.keys(seen), seen.admin]).toEqual([['a'], undefined]);
  });

  it('returns every error with its code', () => {
    fc.assert(
      fc.property(fc.constantFrom(...(Object.keys(CATALOGUE) as ErrorCode[])), fc.string(), (code, message) => {
        expect(() => decodeReply(z.json(), encodeFailure(new RunnelError(code, { message })), 's')).toThrow(
          expect.objectContaining({ code, message }),
        );
      }),
    );
  });

  it('takes anything else for an error, never for a reply', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(() => decodeReply(z.strictObject({ a: z.number() }), text, 's')).toThrow(RunnelError);
      }),
    );
  });
});
