import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { cryptoProvider, PemConverter, SubjectAlternativeNameExtension, X509CertificateGenerator } from '@peculiar/x509';

const DAY_MS = 24 * 60 * 60_000;
const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/** Writes a certificate for 127.0.0.1 that is its own root, and its key. Returns the certificate as PEM. */
export async function writeCertificate({ certFile, keyFile }: { certFile: string; keyFile: string }): Promise<string> {
  cryptoProvider.set(webcrypto);
  const keys = await webcrypto.subtle.generateKey(P256, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=runnel test',
    notBefore: new Date(Date.now() - DAY_MS),
    notAfter: new Date(Date.now() + 9 * DAY_MS),
    signingAlgorithm: P256,
    keys,
    extensions: [new SubjectAlternativeNameExtension([{ type: 'ip', value: '127.0.0.1' }])],
  });
  const cert = certificate.toString('pem');
  writeFileSync(keyFile, PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY'));
  writeFileSync(certFile, cert);
  return cert;
}
