import { describe, expect, it } from '@jest/globals';
import { type AuthorizationRequest, createAuthorizer, createSigningKey, mintToken, type Right } from '../index.ts';
import { MAX_TOKEN_CHARS } from './token.ts';

const key = (id: string, fill: number) => createSigningKey({ id, secret: new Uint8Array(32).fill(fill) });
const [OLD, NEW, LATER] = [key('old', 1), key('new', 2), key('later', 3)];
const NOW_MS = 1_700_000_000_000;
const EXPIRES_MS = NOW_MS + 60_000;
const token = (rights: Right[] = ['publish'], more: { channel?: string; key?: typeof OLD; expiresMs?: number } = {}) =>
  mintToken({ key: NEW, channel: 'c', rights, expiresMs: EXPIRES_MS, ...more });

// With and without the memory of tokens the answers have to be the same, at the first call and at the next ones.
describe.each([
  ['which remembers tokens', 100],
  ['which remembers one token', 1],
  ['which remembers none', 0],
])('an authorizer %s', (_, cachedTokens) => {
  const setUp = (keys = [NEW]) => {
    const authorizer = createAuthorizer({ keys, cachedTokens });
    const check = (change: Partial<AuthorizationRequest> = {}) => {
      const request = { token: token(), channel: 'c', right: 'publish' as const, nowMs: NOW_MS, ...change };
      const answers = [1, 2, 3].map(() => authorizer.check(request));
      expect(new Set(answers).size).toBe(1);
      return answers[0];
    };
    return { authorizer, check };
  };

  it('grants the rights of a token and forbids the others', () => {
    const { check } = setUp();
    const all: Right[] = ['publish', 'subscribe', 'manage'];
    for (let mask = 1; mask < 8; mask += 1) {
      const rights = all.filter((_, bit) => (mask & (1 << bit)) !== 0);
      for (const right of all) {
        expect(check({ token: token(rights), right })).toBe(rights.includes(right) ? 'granted' : 'forbidden');
      }
      expect(check({ token: token(rights), right: 'any' })).toBe('granted');
    }
  });

  it('knows no token that is missing, made up, of another channel or of another key, whatever right is asked for', () => {
    const { check } = setUp();
    const foreign = token(['publish', 'subscribe', 'manage'], { channel: 'd' });
    expect(check({ token: foreign, channel: 'd' })).toBe('granted');
    for (const right of ['publish', 'subscribe', 'manage', 'any'] as const) {
      for (const wrong of [
        '',
        'c',
        'tc1',
        token().slice(0, -1),
        `${token()}x`,
        foreign,
        token([right === 'any' ? 'publish' : right], { key: OLD }),
      ]) {
        expect(check({ token: wrong, right })).toBe('unknown');
      }
      expect(check({ channel: 'd', right })).toBe('unknown');
      expect(check({ channel: '', right })).toBe('unknown');
    }
  });

  it('knows a token up to the millisecond before its expiry', () => {
    const { check } = setUp();
    expect(check({ nowMs: EXPIRES_MS - 1 })).toBe('granted');
    expect(check({ nowMs: EXPIRES_MS })).toBe('unknown');
    expect(check({ nowMs: EXPIRES_MS, right: 'manage' })).toBe('unknown');
    // A clock that was set back is no way around it either: the token is as good as its signature says.
    expect(check({ nowMs: EXPIRES_MS - 1 })).toBe('granted');
  });

  it('takes the tokens of two keys while one follows the other, and of the newer one alone after that', () => {
    const { authorizer, check } = setUp([OLD]);
    const [byOld, byNew] = [token(['publish'], { key: OLD }), token()];
    expect([check({ token: byOld }), check({ token: byNew })]).toEqual(['granted', 'unknown']);
    authorizer.rotate([NEW, OLD]);
    expect([check({ token: byOld }), check({ token: byNew })]).toEqual(['granted', 'granted']);
    authorizer.rotate([NEW]);
    expect([check({ token: byOld }), check({ token: byNew })]).toEqual(['unknown', 'granted']);
  });

  it('takes no token of a key whose id another key has now', () => {
    const { authorizer, check } = setUp([NEW]);
    expect(check()).toBe('granted');
    authorizer.rotate([key('new', 9)]);
    expect(check()).toBe('unknown');
  });

  it('keeps its keys when the new ones cannot be', () => {
    const { authorizer, check } = setUp();
    for (const wrong of [[], [OLD, NEW, LATER], [NEW, key('new', 9)]]) {
      expect(() => authorizer.rotate(wrong)).toThrow(expect.objectContaining({ code: 'invalid_config' }));
    }
    expect(check()).toBe('granted');
  });
});

describe('an authorizer', () => {
  it('looks at nothing but the length of a token that is too long', () => {
    const seen: (string | symbol)[] = [];
    const long = new Proxy(
      {},
      {
        get: (_, property) => {
          seen.push(property);
          return property === 'length' ? MAX_TOKEN_CHARS + 1 : undefined;
        },
      },
    );
    const authorizer = createAuthorizer({ keys: [NEW] });
    expect(authorizer.check({ token: long as string, channel: 'c', right: 'any', nowMs: NOW_MS })).toBe('unknown');
    expect(seen).toEqual(['length']);
  });
});

describe('createAuthorizer', () => {
  it('wants one key or two of different ids', () => {
    for (const wrong of [[], [OLD, NEW, LATER], [NEW, key('new', 9)]]) {
      expect(() => createAuthorizer({ keys: wrong })).toThrow(expect.objectContaining({ code: 'invalid_config' }));
    }
  });
});
