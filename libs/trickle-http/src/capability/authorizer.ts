import { RunnelError } from '@runnel/errors';
import { flat } from '../flat.ts';
import { holds, maskOf, type Right, type RightMask } from './right.ts';
import type { SigningKey } from './signing-key.ts';
import { MAX_TOKEN_CHARS, verifyToken } from './token.ts';
import { VerifiedTokens } from './verified-tokens.ts';

/** One question to an authorizer. Token and channel are as they stand in the path, not yet believed. */
export interface AuthorizationRequest {
  readonly token: string;
  readonly channel: string;
  /** `any`: whoever holds a valid token of the channel may. */
  readonly right: Right | 'any';
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
}

/**
 * `unknown`: no token of this channel that is valid now (401). `forbidden`: a valid one without the right (403). Neither depends on whether
 * the channel exists.
 */
export type Authorization = 'granted' | 'unknown' | 'forbidden';

/** Decides who may do what with a channel. Called for every request, before the channel is looked up. Never throws. */
export interface Authorizer {
  check(request: AuthorizationRequest): Authorization;
}

/** What an authorizer of signed tokens is made with. */
export interface AuthorizerOptions {
  /** One key, or two while one takes the place of the other; newest first. */
  readonly keys: readonly SigningKey[];
  /** Verified tokens that are remembered, so that not every segment costs a signature; at most twice as many are held. Default 16 384; 0: none. */
  readonly cachedTokens?: number;
}

/** An authorizer whose keys can be changed while it is used. */
export interface TokenAuthorizer extends Authorizer {
  /** From now on these keys are valid and no others. @throws RunnelError `invalid_config` as `createAuthorizer`; then nothing changes. */
  rotate(keys: readonly SigningKey[]): void;
}

/** Keys that can be valid at a time: the newest, and the one that it takes the place of. */
export const MAX_SIGNING_KEYS = 2;

/** Two tokens (client and worker) for each of the 5 channels of some 1600 sessions. */
const CACHED_TOKENS = 16_384;

/**
 * An authorizer of tokens that were made by `mintToken` with one of the keys.
 * @throws RunnelError `invalid_config` for no key, more than `MAX_SIGNING_KEYS`, or two of the same id.
 */
export function createAuthorizer(options: AuthorizerOptions): TokenAuthorizer {
  return new HmacAuthorizer(options);
}

/** What a token that was verified once grants until it expires or the keys change. */
interface Grant {
  readonly channel: string;
  readonly rights: RightMask;
  readonly expiresMs: number;
}

class HmacAuthorizer implements TokenAuthorizer {
  readonly #verified: VerifiedTokens<Grant>;
  #keys: readonly SigningKey[];

  constructor({ keys, cachedTokens = CACHED_TOKENS }: AuthorizerOptions) {
    this.#keys = checkedKeys(keys);
    this.#verified = new VerifiedTokens(cachedTokens);
  }

  check({ token, channel, right, nowMs }: AuthorizationRequest): Authorization {
    // Before anything is done with it, hashing for the look-up included.
    if (token.length > MAX_TOKEN_CHARS) return 'unknown';
    // Only whole tokens with a right signature are keys of the map: a look-up tells no more than whether the caller has one of them.
    const grant = this.#verified.get(token) ?? this.#verify(token, channel, nowMs);
    if (grant === null || grant.channel !== channel || nowMs >= grant.expiresMs) return 'unknown';
    return holds(grant.rights, right) ? 'granted' : 'forbidden';
  }

  rotate(keys: readonly SigningKey[]): void {
    this.#keys = checkedKeys(keys);
    // What an old key has granted must not outlive it; the others are verified once more.
    this.#verified.clear();
  }

  #verify(token: string, channel: string, nowMs: number): Grant | null {
    const { verdict, claims } = verifyToken({ token, channel, keys: this.#keys, nowMs });
    if (verdict !== 'valid') return null;
    // Copies: what is cut out of a request's head keeps all of that head in memory.
    const grant = { channel: flat(channel), rights: maskOf(claims.rights), expiresMs: claims.expiresMs };
    this.#verified.add(flat(token), grant);
    return grant;
  }
}

function checkedKeys(keys: readonly SigningKey[]): readonly SigningKey[] {
  if (keys.length === 0 || keys.length > MAX_SIGNING_KEYS) {
    throw new RunnelError('invalid_config', { message: `There have to be 1 to ${MAX_SIGNING_KEYS} signing keys, not ${keys.length}.` });
  }
  if (new Set(keys.map(({ id }) => id)).size < keys.length) {
    throw new RunnelError('invalid_config', { message: 'Two signing keys have the same id.' });
  }
  return [...keys];
}
