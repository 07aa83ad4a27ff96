import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cryptoProvider, PemConverter, SubjectAlternativeNameExtension, X509CertificateGenerator } from '@peculiar/x509';

const DAY_MS = 24 * 60 * 60_000;
const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/** A certificate for 127.0.0.1, ::1 and localhost that is its own root, and its key; both PEM. */
export interface TestPair {
  cert: string;
  key: string;
}

/** Makes a new pair that is valid for ten days around now, or in the time given. */
export async function makePair(validity: { fromMs?: number; toMs?: number } = {}): Promise<TestPair> {
  cryptoProvider.set(webcrypto);
  const keys = await webcrypto.subtle.generateKey(P256, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=runnel test',
    notBefore: new Date(validity.fromMs ?? Date.now() - DAY_MS),
    notAfter: new Date(validity.toMs ?? Date.now() + 9 * DAY_MS),
    signingAlgorithm: P256,
    keys,
    extensions: [
      new SubjectAlternativeNameExtension([
        { type: 'dns', value: 'localhost' },
        { type: 'ip', value: '127.0.0.1' },
        { type: 'ip', value: '::1' },
      ]),
    ],
  });
  const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return { cert: certificate.toString('pem'), key: PemConverter.encode(key, 'PRIVATE KEY') };
}

/** A certificate and its key in a directory of their own, for the length of one test. */
export class PairFiles {
  readonly directory = mkdtempSync(join(tmpdir(), 'runnel-tls-'));
  readonly certFile = join(this.directory, 'tls.crt');
  readonly keyFile = join(this.directory, 'tls.key');

  constructor(pair: TestPair) {
    this.write(pair);
  }

  /** Exchanges what is given, each file by a rename, as `certbot` and Kubernetes do. */
  write(pair: Partial<TestPair>): void {
    if (pair.cert !== undefined) replace(this.certFile, pair.cert);
    if (pair.key !== undefined) replace(this.keyFile, pair.key);
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

function replace(file: string, content: string): void {
  writeFileSync(`${file}.new`, content);
  renameSync(`${file}.new`, file);
}
