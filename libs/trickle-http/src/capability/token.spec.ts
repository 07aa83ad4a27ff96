import { createHmac } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { createSigningKey, formatSigningKey, inspectToken, mintToken, newSigningKey, parseCapabilityUrl, type Right } from '../index.ts';
import { channelUrl } from './url.ts';
import { MAX_TOKEN_CHARS, verifyToken } from './token.ts';

const key = createSigningKey({ id: 'k1', secret: new Uint8Array(32).fill(7) });
const CHANNEL = 'video-in-0123';
const EXPIRES_MS = 1_800_000_000_000;
const mint = (rights: Right[], more = {}) => mintToken({ key, channel: CHANNEL, rights, expiresMs: EXPIRES_MS, ...more });

describe('a token', () => {
  it('is the same text for the same grant, whatever the order of its rights: a vector for other implementations', () => {
    // The vector of the spec's section 15, computed with another implementation of HMAC.
    expect(mint(['subscribe', 'publish'])).toBe('tc1.k1.ps.tro8w0.oS4eMgoFXLrJeslmSmcARXwS');
    expect(mint(['publish', 'subscribe', 'publish'])).toBe(mint(['subscribe', 'publish']));
  });

  it('needs no escaping in a path, and is at most as long as said', () => {
    const longest = createSigningKey({ id: 'k'.repeat(16), secret: new Uint8Array(32) });
    const token = mint(['publish', 'subscribe', 'manage'], { key: longest, expiresMs: (36 ** 8 - 1) * 1000 });
    expect(token).toMatch(/^[A-Za-z0-9._~-]+$/);
    expect(token).toHaveLength(MAX_TOKEN_CHARS);
    expect(new URL(`http://e/${token}/${CHANNEL}`).pathname).toBe(`/${token}/${CHANNEL}`);
  });

  it('tells key, rights and expiry to anybody, and the signature to nobody', () => {
    const token = mint(['manage', 'publish'], { expiresMs: EXPIRES_MS + 999 });
    expect(inspectToken(token)).toEqual({ keyId: 'k1', rights: ['publish', 'manage'], expiresMs: EXPIRES_MS });
  });

  it.each([
    ['no right', { rights: [] }],
    ['a channel that cannot be', { channel: 'a/b' }],
    ['no channel', { channel: '' }],
    ['a time before the epoch', { expiresMs: -1 }],
    ['the epoch itself', { expiresMs: 999 }],
    ['no time', { expiresMs: Number.NaN }],
    ['a time beyond all', { expiresMs: Number.POSITIVE_INFINITY }],
    ['a time that needs nine digits', { expiresMs: 36 ** 8 * 1000 }],
  ])('is not made for %s', (_, wrong) => {
    expect(() => mint(['publish'], wrong)).toThrow(expect.objectContaining({ code: 'invalid_request' }));
  });

  it('is verified for one channel, by one key, up to one instant', () => {
    const token = mint(['publish']);
    const other = createSigningKey({ id: 'k2', secret: new Uint8Array(32).fill(7) });
    const impostor = createSigningKey({ id: 'k1', secret: new Uint8Array(32).fill(8) });
    const verdict = (change: object) => verifyToken({ token, channel: CHANNEL, keys: [key], nowMs: EXPIRES_MS - 1, ...change }).verdict;
    expect(verdict({})).toBe('valid');
    expect(verdict({ nowMs: EXPIRES_MS })).toBe('expired');
    expect(verdict({ keys: [other] })).toBe('unknown_key');
    expect(verdict({ keys: [other, key] })).toBe('valid');
    expect(verdict({ keys: [impostor] })).toBe('wrong_signature');
    expect(verdict({ channel: `${CHANNEL}4` })).toBe('wrong_signature');
    expect(verdict({ channel: '' })).toBe('wrong_signature');
    expect(verdict({ token: token.slice(1) })).toBe('malformed');
  });
});

describe('a signature by the right key', () => {
  /** What a careless issuer could sign, in the way of the spec. */
  const signed = (claims: string, channel: string) =>
    `${claims}.${createHmac('sha256', key.secret).update(`${claims}/${channel}`).digest().subarray(0, 18).toString('base64url')}`;
  const verdict = (token: string, channel: string) => verifyToken({ token, channel, keys: [key], nowMs: 0 }).verdict;

  it('counts as the spec says', () => {
    expect(verdict(signed('tc1.k1.ps.tro8w0', CHANNEL), CHANNEL)).toBe('valid');
  });

  it.each([
    'tc1.k1..tro8w0',
    'tc1.k1.sp.tro8w0',
    'tc1.k1.pp.tro8w0',
    'tc1.k1.p.0tro8w0',
    'tc1.k1.p.TRO8W0',
    'tc1.k1.p.0',
    'tc2.k1.p.tro8w0',
  ])('makes no token of %s', (claims) => expect(verdict(signed(claims, CHANNEL), CHANNEL)).toBe('malformed'));

  it.each([
    ['', ''],
    ['a/b', 'a/b'],
    ['..', '..'],
    ['\ufffd', '\ud800'],
  ])('of the channel %j makes no token for %j', (channel, asked) => {
    expect(verdict(signed('tc1.k1.p.tro8w0', channel), asked)).toBe('wrong_signature');
  });
});

describe('a capability URL', () => {
  it('is the plain URL of the channel where there is no token', () => {
    expect(channelUrl({ base: 'http://e/t/', channel: CHANNEL, token: null })).toBe(`http://e/t/${CHANNEL}`);
  });

  it('gives token and channel back under any base, with a sequence number or without', () => {
    const token = mint(['publish']);
    for (const base of ['http://e/', 'https://e:1/ai/trickle/']) {
      const url = channelUrl({ base, channel: CHANNEL, token });
      for (const suffix of ['', '/', '/7', '/next?x=1']) expect(parseCapabilityUrl(url + suffix)).toEqual({ token, channel: CHANNEL });
    }
  });

  it.each([
    'http://e/trickle/video-in-0123/7',
    'no url',
    ...['', '/', '//7', '/a%20b', '/a%2Fb'].map((rest) => `http://e/${mint(['manage'])}${rest}`),
  ])('is not %s', (url) => expect(parseCapabilityUrl(url)).toBeNull());
});

describe('a signing key', () => {
  it('is another one each time, of 32 bytes', () => {
    const [a, b] = [newSigningKey(), newSigningKey()];
    expect([a.secret.symmetricKeySize, a.id === b.id, a.secret.equals(b.secret)]).toEqual([32, false, false]);
  });

  it('does not show its secret when it is printed', () => {
    const made = newSigningKey();
    const secret = formatSigningKey(made).split(':')[1];
    const raw = made.secret.export();
    for (const text of [inspect(made, { depth: 9, showHidden: true }), JSON.stringify(made), `${made.id} ${inspect(made.secret)}`]) {
      expect(text.includes(secret) || text.includes(raw.toString('hex')) || text.includes(raw.toString('base64'))).toBe(false);
    }
  });

  it.each([
    ['a secret that is too short', { secret: new Uint8Array(31) }],
    ['a secret that is too long', { secret: new Uint8Array(65) }],
    ['no id', { id: '' }],
    ['an id with a dot', { id: 'a.b' }],
    ['an id that is too long', { id: 'a'.repeat(17) }],
  ])('is refused with %s', (_, wrong) => {
    expect(() => createSigningKey({ id: 'k', secret: new Uint8Array(32), ...wrong })).toThrow(
      expect.objectContaining({ code: 'invalid_config' }),
    );
  });
});
