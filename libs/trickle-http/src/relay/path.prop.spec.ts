import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { isChannelName, normalizeBase, parseRelayPath } from './path.ts';

const names = fc.stringMatching(/^[A-Za-z0-9._~-]{1,200}$/);
const bases = fc.constantFrom('/', '/trickle/', '/ai/trickle/');
const tails = fc.oneof(fc.constantFrom('', 'next', 'timeline', '0', '-1'), fc.stringMatching(/^[!-.0->@-~]{1,20}$/));
const queries = fc.oneof(fc.constant(''), fc.stringMatching(/^\?[!-~]{0,20}$/));
const anything = fc.oneof(
  fc.stringMatching(/^[!-~]{0,60}$/),
  fc
    .array(fc.constantFrom('/', '//', '.', '..', '%2e', '%2f', '\\', 'trickle', 'c', '0', '?', '#', ';', '@', 'tc1.a.p.1.x'), {
      maxLength: 10,
    })
    .map((all) => all.join('')),
);

describe('a path under the base', () => {
  it('gives back what it was made of', () => {
    fc.assert(
      fc.property(bases, names, tails, queries, (base, channel, tail, query) => {
        const path = `${base}${channel}${tail === '' ? '' : `/${tail}`}${query}`;
        expect(parseRelayPath(path, base, { tokens: false })).toEqual({ token: '', channel, tail });
      }),
    );
  });

  it('gives back the token before the channel', () => {
    fc.assert(
      fc.property(bases, names, names, tails, queries, (base, token, channel, tail, query) => {
        const path = `${base}${token}/${channel}${tail === '' ? '' : `/${tail}`}${query}`;
        expect(parseRelayPath(path, base, { tokens: true })).toEqual({ token, channel, tail });
      }),
    );
  });

  it('never throws, and names a channel only with what stands there: nothing is decoded, no dot followed, no slash swallowed', () => {
    fc.assert(
      fc.property(bases, anything, fc.boolean(), (base, rest, tokens) => {
        const target = `${base}${rest}`;
        const path = parseRelayPath(target, base, { tokens });
        if (path === null || path === 'outside') return;
        const [plain] = target.slice(base.length).split('?');
        const parts = [...(tokens && path.token !== '' ? [path.token] : []), path.channel, ...(path.tail === '' ? [] : [path.tail])];
        // An empty tail may have had its slash.
        expect([parts.join('/'), `${parts.join('/')}/`, `/${parts.join('/')}`, `/${parts.join('/')}/`]).toContain(plain);
        expect(path.channel.includes('/') || path.tail.includes('/') || path.token.includes('/')).toBe(false);
      }),
      { numRuns: 1000 },
    );
  });

  it('is outside where it does not begin with the base, byte for byte', () => {
    fc.assert(
      fc.property(anything, (target) => {
        fc.pre(!target.startsWith('/trickle/'));
        expect(parseRelayPath(target, '/trickle/', { tokens: false })).toBe('outside');
      }),
    );
    for (const target of [
      '/trickle',
      '/TRICKLE/c',
      '//trickle/c',
      '/./trickle/c',
      '/x/../trickle/c',
      '/%74rickle/c',
      '*',
      '',
      'trickle/c',
    ]) {
      expect(parseRelayPath(target, '/trickle/', { tokens: false })).toBe('outside');
    }
  });
});

describe('the name of a channel', () => {
  it('has unreserved characters alone, 1 to 200, and is not a place in a file system', () => {
    fc.assert(fc.property(names, (name) => isChannelName(name) === (name !== '.' && name !== '..')));
    fc.assert(fc.property(anything, (name) => !isChannelName(name) || /^[\w.~-]{1,200}$/.test(name)));
    for (const name of ['', '.', '..', 'a'.repeat(201), 'a/b', 'a%20b', 'a b', 'ä', 'a\n', '\u0000'])
      expect([name, isChannelName(name)]).toEqual([name, false]);
  });
});

describe('the base', () => {
  it('has one slash at both ends, however it is given', () => {
    expect(['', '/', '//', 'trickle', '/trickle', 'trickle/', '//ai/trickle//'].map(normalizeBase)).toEqual([
      '/',
      '/',
      '/',
      '/trickle/',
      '/trickle/',
      '/trickle/',
      '/ai/trickle/',
    ]);
  });
});
