import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import {
  createAuthorizer,
  createSigningKey,
  inspectToken,
  mintToken,
  parseCapabilityUrl,
  parseSigningKeys,
  RIGHTS,
  type Right,
} from '../index.ts';
import { verifyToken } from './token.ts';

const KEYS = ['a', 'B-2_'].map((id, fill) => createSigningKey({ id, secret: new Uint8Array(32).fill(fill) }));
const NOW_MS = 1_700_000_000_000;
const CHARS = 'ABCXYZabcxyz0189._~-'.split('');

const channelName = fc.string({ unit: fc.constantFrom(...CHARS), minLength: 1, maxLength: 30 }).filter((name) => !/^\.\.?$/.test(name));
const rights = fc.subarray([...RIGHTS], { minLength: 1 });
const grant = fc.record({
  key: fc.constantFrom(...KEYS),
  channel: channelName,
  rights,
  expiresMs: fc.integer({ min: NOW_MS + 1000, max: NOW_MS + 1e12 }),
});

/** Any text: of the token's own characters, of all of Unicode with lone surrogates, very long. */
const anyText = fc.oneof(
  fc.string({ unit: fc.constantFrom(...CHARS), maxLength: 80 }),
  fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)), maxLength: 80 }),
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.nat(200_000).map((length) => 'tc1.a.p.zzzzzz.'.padEnd(length, 'a')),
);

/** One way to spoil a text. */
const spoil = fc.oneof(
  fc
    .record({
      at: fc.nat(80),
      with: fc.oneof(
        fc.constantFrom(...CHARS),
        fc.nat(0xffff).map((unit) => String.fromCharCode(unit)),
      ),
    })
    .map(
      ({ at, with: char }) =>
        (text: string) =>
          text.slice(0, at % text.length) + char + text.slice((at % text.length) + 1),
    ),
  fc.nat(80).map((at) => (text: string) => text.slice(0, at % text.length)),
  fc.nat(80).map((at) => (text: string) => text.slice((at % text.length) + 1)),
  anyText.map((more) => (text: string) => text + more),
  anyText.map((more) => (text: string) => more + text),
  fc.tuple(fc.nat(80), fc.nat(80)).map(([a, b]) => (text: string) => {
    const chars = text.split('');
    const [i, j] = [a % chars.length, b % chars.length];
    [chars[i], chars[j]] = [chars[j], chars[i]];
    return chars.join('');
  }),
  fc.constantFrom<(text: string) => string>(
    (text) => text.toUpperCase(),
    (text) => text.toLowerCase(),
    (text) => `${text}\n`,
    (text) => ` ${text}`,
    (text) => `${text}=`,
    (text) => text.replaceAll('.', '%2e'),
    (text) => text.replace('.p', '.psm'),
    (text) => text.normalize('NFKD').replace('-', '\u2010'),
  ),
);

describe('any token', () => {
  it('that was minted grants its rights on its channel and no others, remembered or not', () => {
    fc.assert(
      fc.property(
        grant,
        fc.array(fc.tuple(channelName, fc.constantFrom<(Right | 'any')[]>(...RIGHTS, 'any')), { maxLength: 6 }),
        (made, asked) => {
          const authorizer = createAuthorizer({ keys: KEYS, cachedTokens: 2 });
          const token = mintToken(made);
          expect(inspectToken(token)).toEqual({
            keyId: made.key.id,
            rights: RIGHTS.filter((right) => made.rights.includes(right)),
            expiresMs: Math.floor(made.expiresMs / 1000) * 1000,
          });
          for (const [channel, right] of [
            ...asked,
            ...RIGHTS.map((right) => [made.channel, right] as const),
            [made.channel, 'any'] as const,
          ]) {
            const held = right === 'any' || made.rights.includes(right);
            const expected = channel !== made.channel ? 'unknown' : held ? 'granted' : 'forbidden';
            expect(authorizer.check({ token, channel, right, nowMs: NOW_MS })).toBe(expected);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('that was spoilt in any way grants nothing, also right after the good one', () => {
    const authorizer = createAuthorizer({ keys: KEYS });
    let tried = 0;
    fc.assert(
      fc.property(grant, fc.array(spoil, { minLength: 1, maxLength: 3 }), (made, spoils) => {
        const token = mintToken(made);
        expect(authorizer.check({ token, channel: made.channel, right: 'any', nowMs: NOW_MS })).toBe('granted');
        const spoilt = spoils.reduce((text, apply) => (text === '' ? text : apply(text)), token);
        fc.pre(spoilt !== token);
        tried += 1;
        expect(authorizer.check({ token: spoilt, channel: made.channel, right: 'any', nowMs: NOW_MS })).toBe('unknown');
      }),
      { numRuns: 10_000 },
    );
    expect(tried).toBeGreaterThan(8000);
  });

  it('of which each single character is exchanged for each other one grants nothing', () => {
    const made = { key: KEYS[1], channel: 'c', rights: ['publish' as const], expiresMs: NOW_MS + 60_000 };
    const token = mintToken(made);
    const authorizer = createAuthorizer({ keys: KEYS });
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~-+/= \n\u0130\u212a';
    for (let at = 0; at < token.length; at += 1) {
      for (const char of alphabet) {
        const spoilt = token.slice(0, at) + char + token.slice(at + 1);
        if (spoilt === token) continue;
        expect(authorizer.check({ token: spoilt, channel: 'c', right: 'any', nowMs: NOW_MS })).toBe('unknown');
      }
    }
  });
});

describe('any text', () => {
  it('is read without a throw, and never granted', () => {
    const authorizer = createAuthorizer({ keys: KEYS });
    fc.assert(
      fc.property(anyText, anyText, fc.double(), (token, channel, nowMs) => {
        expect(authorizer.check({ token, channel, right: 'any', nowMs })).toBe('unknown');
        expect(verifyToken({ token, channel, keys: KEYS, nowMs }).verdict).not.toBe('valid');
        inspectToken(token);
        parseCapabilityUrl(token);
      }),
      { numRuns: 3000 },
    );
  });

  it('as a list of keys gives keys, or one error of the catalogue', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          anyText,
          fc.array(anyText, { maxLength: 4 }).map((lines) => lines.join('\n')),
        ),
        (text) => {
          try {
            expect(parseSigningKeys(text).length).toBeGreaterThan(0);
          } catch (error) {
            expect(error).toMatchObject({ code: 'invalid_config' });
          }
        },
      ),
      { numRuns: 1000 },
    );
  });
});
