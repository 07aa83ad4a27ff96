import { RunnelError } from '@runnel/errors';
import { MAX_SIGNING_KEYS } from './authorizer.ts';
import { createSigningKey, type SigningKey } from './signing-key.ts';

/** One key on one line: `id:secret`, the secret in base64url (RFC 4648, section 5) without padding. This is the secret itself: not for a log. */
export function formatSigningKey({ id, secret }: SigningKey): string {
  return `${id}:${secret.export().toString('base64url')}`;
}

/**
 * Reads keys from text, one a line, newest first; empty lines and lines that begin with `#` do not count.
 * @throws RunnelError `invalid_config` that names the line at fault and nothing of what it holds.
 */
export function parseSigningKeys(text: string): SigningKey[] {
  const keys: SigningKey[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const key = parseLine(line, index + 1);
    if (keys.some(({ id }) => id === key.id)) throw wrong(index + 1, 'has the id of another key.');
    keys.push(key);
    if (keys.length > MAX_SIGNING_KEYS) throw wrong(index + 1, `is one key too many: ${MAX_SIGNING_KEYS} can be valid at a time.`);
  }
  if (keys.length === 0) throw new RunnelError('invalid_config', { message: 'There is no key in it.' });
  return keys;
}

function parseLine(line: string, number: number): SigningKey {
  const [id, secret, ...more] = line.split(':');
  if (secret === undefined || more.length > 0) throw wrong(number, "is not 'id:secret'.");
  const bytes = Buffer.from(secret, 'base64url');
  // Anything but the canonical text is a slip: a character lost in copying, padding, another alphabet.
  if (bytes.toString('base64url') !== secret) throw wrong(number, 'has a secret that is not base64url.');
  try {
    return createSigningKey({ id, secret: bytes });
  } catch (error) {
    throw error instanceof RunnelError ? wrong(number, `cannot be used. ${error.message}`) : error;
  }
}

function wrong(number: number, what: string): RunnelError {
  return new RunnelError('invalid_config', { message: `Line ${number} ${what}` });
}
