import { randomBytes } from 'node:crypto';

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';

/** A fresh session id: `ses_` and 20 characters of base32, 100 random bits. */
export function newSessionId(): string {
  // The low five bits of a random byte are uniform.
  return `ses_${Array.from(randomBytes(20), (byte) => BASE32[byte & 31]).join('')}`;
}
