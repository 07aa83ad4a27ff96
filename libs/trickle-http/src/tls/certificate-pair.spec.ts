import { beforeAll, describe, expect, it } from '@jest/globals';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { RunnelError } from '@runnel/errors';
import { makePair, type TestPair } from '../testing/certificates.ts';
import { checkPair } from './certificate-pair.ts';

let pair: TestPair;
let other: TestPair;
beforeAll(async () => {
  [pair, other] = await Promise.all([makePair(), makePair()]);
});

function check(change: Partial<TestPair> & { nowMs?: number }) {
  return checkPair({ ...pair, nowMs: Date.now(), ...change, certFile: '/etc/edge/tls.crt', keyFile: '/etc/edge/tls.key' });
}

function faultOf(change: Parameters<typeof check>[0]): RunnelError {
  try {
    check(change);
  } catch (error) {
    if (error instanceof RunnelError) return error;
    throw error;
  }
  throw new Error('no fault found');
}

describe('a certificate and its key', () => {
  it('pass when they belong together and are in force', () => {
    const { fingerprint, validToMs } = check({});
    expect(fingerprint).toBe(new X509Certificate(pair.cert).fingerprint256);
    expect(validToMs).toBeGreaterThan(Date.now());
  });

  it('are refused, with the file and the fault, when the key belongs to another certificate', () => {
    const fault = faultOf({ key: other.key });
    expect(fault.code).toBe('invalid_config');
    expect(fault.message).toBe('The key in /etc/edge/tls.key does not belong to the certificate in /etc/edge/tls.crt.');
  });

  it('are refused before and after the time of the certificate', () => {
    const { validFrom, validTo } = new X509Certificate(pair.cert);
    expect(faultOf({ nowMs: Date.parse(validTo) + 1 }).message).toMatch(/tls\.crt expired on 2/);
    expect(faultOf({ nowMs: Date.parse(validFrom) - 1 }).message).toMatch(/tls\.crt is not valid before 2/);
    expect(check({ nowMs: Date.parse(validTo) - 1 }).cert).toBe(pair.cert);
  });

  it.each([
    ['nothing', ''],
    ['something else', 'hello'],
    ['a key', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n'],
  ])('are refused when the certificate file holds %s', (_what, cert) => {
    expect(faultOf({ cert }).message).toBe('/etc/edge/tls.crt holds no certificate in PEM.');
  });

  it('are refused when the chain behind the certificate is broken', () => {
    const cert = `${pair.cert}\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`;
    expect(faultOf({ cert }).message).toMatch(/^OpenSSL does not take the certificate in .*tls\.crt/);
  });

  it('are refused when the key is encrypted', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const key = privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-128-cbc', passphrase: 'x' }).toString();
    expect(faultOf({ key }).message).toMatch(/tls\.key is encrypted/);
  });

  it('never show a piece of the key in a fault', () => {
    const [begin, body, ...rest] = pair.key.split('\n');
    for (const key of [body, [begin, body.slice(8), ...rest].join('\n'), other.key]) {
      const fault = faultOf({ key });
      const shown = `${fault.message} ${fault.hint} ${fault.stack} ${JSON.stringify(fault.details)} ${String(fault.cause)}`;
      for (const line of key.split('\n').filter((text) => text !== '' && !text.startsWith('-')))
        expect(shown).not.toContain(line.slice(0, 16));
    }
  });
});
