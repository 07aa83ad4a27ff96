import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { RunnelError } from '@runnel/errors';

/** A certificate chain with its private key, checked against each other and against the clock. */
export interface CertificatePair {
  /** PEM: the server's own certificate first, then those that lead to its root. */
  readonly cert: string;
  /** PEM. Secret. */
  readonly key: string;
  /** SHA-256 of the server's own certificate, as `AB:CD:…`. */
  readonly fingerprint: string;
  /** Milliseconds since the epoch. */
  readonly validToMs: number;
}

/**
 * Checks that a certificate is in force and that the key is its own.
 * @throws RunnelError `invalid_config`, which names the file and the fault and has no byte of the key.
 */
export function checkPair(options: { cert: string; key: string; certFile: string; keyFile: string; nowMs: number }): CertificatePair {
  const { cert, key, certFile, keyFile, nowMs } = options;
  const own = parse(() => new X509Certificate(cert), `${certFile} holds no certificate in PEM.`);
  const encrypted = /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(key);
  if (encrypted) throw fault(`The key in ${keyFile} is encrypted; give it without a passphrase.`);
  const privateKey: KeyObject = parse(() => createPrivateKey(key), `${keyFile} holds no private key in PEM.`);
  const validFromMs = Date.parse(own.validFrom);
  const validToMs = Date.parse(own.validTo);
  if (nowMs > validToMs) throw fault(`The certificate in ${certFile} expired on ${new Date(validToMs).toISOString()}.`);
  if (nowMs < validFromMs) throw fault(`The certificate in ${certFile} is not valid before ${new Date(validFromMs).toISOString()}.`);
  if (!own.checkPrivateKey(privateKey)) throw fault(`The key in ${keyFile} does not belong to the certificate in ${certFile}.`);
  // What OpenSSL alone can tell: a broken chain behind the first certificate, a key that is too short.
  parse(() => createSecureContext({ cert, key }), `OpenSSL does not take the certificate in ${certFile} with its key.`);
  return { cert, key, fingerprint: own.fingerprint256, validToMs };
}

function parse<Result>(read: () => Result, message: string): Result {
  try {
    return read();
  } catch {
    // OpenSSL's own words may quote its input, which may be the key.
    throw fault(message);
  }
}

function fault(message: string): RunnelError {
  return new RunnelError('invalid_config', { message });
}
