import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { RunnelError } from '@runnel/errors';

/** A key that tokens are signed with. Printing or serialising one shows its id alone. */
export interface SigningKey {
  /** Stands in every token, in the clear: 1 to 16 of `A-Z a-z 0-9 _ -`. */
  readonly id: string;
  /** Prepared once: to sign with the bare bytes takes several times as long. */
  readonly secret: KeyObject;
}

/** Bytes of a new key's secret, and of any key's at least: as many as the hash has (RFC 2104, section 3). */
const SECRET_BYTES = 32;

/** Longer secrets gain nothing over the block of the hash (RFC 2104, section 2). */
const MAX_SECRET_BYTES = 64;

const KEY_ID = /^[A-Za-z0-9_-]{1,16}$/;

/** Bytes of a new key's id; hexadecimal, so that it is easily read out and compared. */
const NEW_ID_BYTES = 3;

/** Makes a key of its parts. @throws RunnelError `invalid_config` for an id or a secret that cannot be; without any of them in the message. */
export function createSigningKey({ id, secret }: { id: string; secret: Uint8Array }): SigningKey {
  if (!KEY_ID.test(id)) throw new RunnelError('invalid_config', { message: "A key's id has 1 to 16 of A-Z a-z 0-9 _ -." });
  if (secret.length < SECRET_BYTES || secret.length > MAX_SECRET_BYTES) {
    throw new RunnelError('invalid_config', {
      message: `A key's secret has ${SECRET_BYTES} to ${MAX_SECRET_BYTES} bytes, not ${secret.length}.`,
    });
  }
  return { id, secret: createSecretKey(secret) };
}

/** A new key of random bytes under a random id. */
export function newSigningKey(): SigningKey {
  return createSigningKey({ id: randomBytes(NEW_ID_BYTES).toString('hex'), secret: randomBytes(SECRET_BYTES) });
}
