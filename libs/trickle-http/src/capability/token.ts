import { createHmac, timingSafeEqual } from 'node:crypto';
import { RunnelError } from '@runnel/errors';
import { isChannelName } from '../relay/path.ts';
import { type Right, RIGHT_LETTERS, RIGHTS } from './right.ts';
import type { SigningKey } from './signing-key.ts';

/** What a token says of itself. Anybody can read it; only the signature makes it true. */
export interface TokenClaims {
  readonly keyId: string;
  readonly rights: readonly Right[];
  /** Milliseconds since the epoch, a multiple of 1000; from this instant on it grants nothing. */
  readonly expiresMs: number;
}

/** What is to be granted. */
export interface MintRequest {
  readonly key: SigningKey;
  readonly channel: string;
  readonly rights: readonly Right[];
  /** Milliseconds since the epoch; rounded down to whole seconds. */
  readonly expiresMs: number;
}

/** How a token is. Only `valid` grants anything; the others are told apart for people who hold the keys, never on the wire. */
export type TokenVerdict = 'valid' | 'malformed' | 'unknown_key' | 'wrong_signature' | 'expired';

/** Result of `verifyToken`: claims are there for every token that can be read. */
export type Verification =
  | { readonly verdict: 'malformed'; readonly claims: null }
  | { readonly verdict: Exclude<TokenVerdict, 'malformed'>; readonly claims: TokenClaims };

/** Kind and version of the format: what a reader, or a filter of logs, knows a token by. */
const PREFIX = 'tc1';

/** 144 bits of HMAC-SHA256: over the half that RFC 2104 (section 5) asks for, and just 24 characters of base64url with no bit to spare. */
const MAC_BYTES = 18;

/** Longest token: prefix, key id (16), rights (3), expiry (8), signature (24), 4 dots. */
export const MAX_TOKEN_CHARS = 58;

const TOKEN = /^(tc1\.([A-Za-z0-9_-]{1,16})\.(p?s?m?)\.([1-9a-z][0-9a-z]{0,7}))\.([A-Za-z0-9_-]{24})$/;

/** First second that 8 digits of base 36 cannot hold. */
const MAX_EXPIRY_SECONDS = 36 ** 8;

/**
 * Makes the token that stands before a channel's name in its URL (Trickle spec, Capability URLs).
 * @throws RunnelError `invalid_request` for a name that no channel can have, no right, or a time out of range.
 */
export function mintToken({ key, channel, rights, expiresMs }: MintRequest): string {
  if (!isChannelName(channel)) throw new RunnelError('invalid_request', { message: 'A token is for a channel that can exist.' });
  const letters = RIGHTS.filter((right) => rights.includes(right)).map((right) => RIGHT_LETTERS[right]);
  if (letters.length === 0) throw new RunnelError('invalid_request', { message: 'A token grants at least one right.' });
  const seconds = Math.floor(expiresMs / 1000);
  if (!(seconds > 0 && seconds < MAX_EXPIRY_SECONDS)) {
    throw new RunnelError('invalid_request', { message: `A token cannot expire at ${expiresMs} ms.` });
  }
  const claims = `${PREFIX}.${key.id}.${letters.join('')}.${seconds.toString(36)}`;
  return `${claims}.${sign(key, claims, channel).toString('base64url')}`;
}

/** Reads what a token says, without a key and so without a word on whether it is true. Null when it is none. Never throws. */
export function inspectToken(text: string): TokenClaims | null {
  return parseToken(text)?.claims ?? null;
}

/** Reads a token and checks it against keys, for one channel and one instant. Costs a signature when the key is known. Never throws. */
export function verifyToken(request: {
  token: string;
  channel: string;
  keys: readonly SigningKey[];
  /** Milliseconds since the epoch. */
  nowMs: number;
}): Verification {
  const { token, channel, keys, nowMs } = request;
  const parsed = parseToken(token);
  if (parsed === null) return { verdict: 'malformed', claims: null };
  const { claims } = parsed;
  const key = keys.find(({ id }) => id === claims.keyId);
  if (key === undefined) return { verdict: 'unknown_key', claims };
  // Not every string has bytes of its own (lone surrogates), so what no channel is called is not signed.
  if (!isChannelName(channel)) return { verdict: 'wrong_signature', claims };
  if (!timingSafeEqual(sign(key, parsed.signed, channel), parsed.signature)) return { verdict: 'wrong_signature', claims };
  return { verdict: nowMs >= claims.expiresMs ? 'expired' : 'valid', claims };
}

/** Neither the claims nor a channel's name hold a slash, so that the text has one reading. */
function sign(key: SigningKey, claims: string, channel: string): Buffer {
  return createHmac('sha256', key.secret).update(`${claims}/${channel}`).digest().subarray(0, MAC_BYTES);
}

function parseToken(text: string): { claims: TokenClaims; signed: string; signature: Buffer } | null {
  // Every part of the expression has a bound: a longer text costs no more than a token does.
  const match = TOKEN.exec(text);
  if (match === null || match[3] === '') return null;
  const [, signed, keyId, letters, seconds, mac] = match;
  const rights = RIGHTS.filter((right) => letters.includes(RIGHT_LETTERS[right]));
  const claims = { keyId, rights, expiresMs: Number.parseInt(seconds, 36) * 1000 };
  return { claims, signed, signature: Buffer.from(mac, 'base64url') };
}
