import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { X509Certificate } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { RunnelError } from '@runnel/errors';
import { eventually } from '../testing/bench.ts';
import { makePair, PairFiles, type TestPair } from '../testing/certificates.ts';
import { type FileCertificatesOptions, fileCertificates } from './file-certificates.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  while (cleanups.length > 0) await cleanups.pop()!();
});

const fingerprintOf = (pair: TestPair) => new X509Certificate(pair.cert).fingerprint256;

function filesOf(pair: TestPair): PairFiles {
  const files = new PairFiles(pair);
  cleanups.push(() => files.remove());
  return files;
}

/** An echo server whose certificate comes from files, and what the source told. */
async function setUp(options: Omit<FileCertificatesOptions, 'onReload' | 'onReloadFailure'>) {
  const reloads: string[] = [];
  const failures: RunnelError[] = [];
  const source = fileCertificates({
    pollMs: 0,
    ...options,
    onReload: ({ fingerprint }) => reloads.push(fingerprint),
    onReloadFailure: (error) => failures.push(error),
  });
  const server = createServer(source.options, (socket) => socket.pipe(socket));
  source.attach(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const sockets: TLSSocket[] = [];
  cleanups.push(() => {
    source.close();
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  const open = async (change: object = {}): Promise<TLSSocket> => {
    const { port } = server.address() as AddressInfo;
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...change });
    sockets.push(socket);
    await new Promise<void>((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
    return socket;
  };
  const served = async () => (await open()).getPeerX509Certificate()!.fingerprint256;
  return { source, reloads, failures, open, served };
}

async function echo(socket: TLSSocket, text: string): Promise<string> {
  socket.write(text);
  let got = '';
  while (got.length < text.length) got += String(await new Promise((resolve) => socket.once('data', resolve)));
  return got;
}

describe('certificates from files', () => {
  it('serve TLS 1.2 and 1.3, nothing older, and offer h2 before http/1.1', async () => {
    const files = filesOf(await makePair());
    const { open } = await setUp(files);
    expect((await open({ maxVersion: 'TLSv1.2' })).getProtocol()).toBe('TLSv1.2');
    expect((await open({ ALPNProtocols: ['http/1.1', 'h2'] })).alpnProtocol).toBe('h2');
    expect((await open({ ALPNProtocols: ['http/1.1'] })).alpnProtocol).toBe('http/1.1');
    expect((await open()).alpnProtocol).toBe(false);
    // The lowest security level of OpenSSL: without it this client would refuse by itself, and claim nothing of the server.
    const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' };
    await expect(open(old)).rejects.toThrow(/protocol version|unsupported protocol/i);
  });

  it('are exchanged while the server runs: new connections see the new one, open ones go on', async () => {
    const [first, second] = await Promise.all([makePair(), makePair()]);
    const files = filesOf(first);
    const { source, open, served, reloads } = await setUp(files);
    const running = await open();
    expect(await echo(running, 'before')).toBe('before');
    files.write(second);
    expect(await served()).toBe(fingerprintOf(first));
    source.reload();
    expect(await served()).toBe(fingerprintOf(second));
    expect(source.fingerprint).toBe(fingerprintOf(second));
    expect(reloads).toEqual([fingerprintOf(second)]);
    expect(await echo(running, 'after')).toBe('after');
    source.reload();
    expect(reloads).toHaveLength(1);
  });

  it('are taken up by themselves when both files have come to rest', async () => {
    const [first, second] = await Promise.all([makePair(), makePair()]);
    const files = filesOf(first);
    const { source, served } = await setUp({ certFile: files.certFile, keyFile: files.keyFile, pollMs: 10 });
    files.write(second);
    await eventually(() => source.fingerprint === fingerprintOf(second));
    expect(await served()).toBe(fingerprintOf(second));
  });

  it('are taken up where a directory behind a symbolic link is exchanged, as Kubernetes does with secrets', async () => {
    const [first, second] = await Promise.all([makePair(), makePair()]);
    const files = filesOf(first);
    const version = (name: string, pair: TestPair) => {
      mkdirSync(join(files.directory, name));
      writeFileSync(join(files.directory, name, 'tls.crt'), pair.cert);
      writeFileSync(join(files.directory, name, 'tls.key'), pair.key);
      symlinkSync(name, join(files.directory, 'data.new'));
      renameSync(join(files.directory, 'data.new'), join(files.directory, 'data'));
    };
    version('1', first);
    const mounted = { certFile: join(files.directory, 'data', 'tls.crt'), keyFile: join(files.directory, 'data', 'tls.key') };
    const { source } = await setUp({ ...mounted, pollMs: 10 });
    version('2', second);
    await eventually(() => source.fingerprint === fingerprintOf(second));
  });

  it('stay as they are when the new pair is broken, which is told once, and heal with the next change', async () => {
    const [first, second] = await Promise.all([makePair(), makePair()]);
    const files = filesOf(first);
    const { source, served, failures } = await setUp({ certFile: files.certFile, keyFile: files.keyFile, pollMs: 10 });
    files.write({ cert: second.cert });
    await eventually(() => failures.length > 0);
    expect(failures[0].message).toBe(`The key in ${files.keyFile} does not belong to the certificate in ${files.certFile}.`);
    // Many looks later: still told once.
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(failures).toHaveLength(1);
    expect(await served()).toBe(fingerprintOf(first));
    expect(() => source.reload()).toThrow(/does not belong/);
    expect(await served()).toBe(fingerprintOf(first));
    files.write({ key: second.key });
    await eventually(() => source.fingerprint === fingerprintOf(second));
    expect(await served()).toBe(fingerprintOf(second));
  });

  it('let clients resume their sessions across a reload', async () => {
    const [first, second] = await Promise.all([makePair(), makePair()]);
    const files = filesOf(first);
    const { source, open } = await setUp(files);
    const socket = await open();
    const ticket = new Promise<Buffer>((resolve) => socket.once('session', resolve));
    await echo(socket, 'x');
    files.write(second);
    source.reload();
    expect((await open({ session: await ticket })).isSessionReused()).toBe(true);
  });

  it('give up the keys of tickets after a day, so that a stolen one opens no older session', async () => {
    let nowMs = Date.now();
    const files = filesOf(await makePair());
    const { open } = await setUp({ certFile: files.certFile, keyFile: files.keyFile, pollMs: 10, clock: () => nowMs });
    const socket = await open();
    const ticket = new Promise<Buffer>((resolve) => socket.once('session', resolve));
    await echo(socket, 'x');
    nowMs += 24 * 60 * 60_000;
    const session = await ticket;
    const deadlineMs = performance.now() + 5000;
    while ((await open({ session })).isSessionReused()) expect(performance.now()).toBeLessThan(deadlineMs);
  });

  it('say which file is missing, and start nothing', async () => {
    const files = filesOf(await makePair());
    const missing = join(files.directory, 'none.pem');
    expect(() => fileCertificates({ certFile: missing, keyFile: files.keyFile })).toThrow(`${missing} cannot be read: ENOENT.`);
    expect(() => fileCertificates({ certFile: files.certFile, keyFile: files.directory })).toThrow(
      `${files.directory} cannot be read: EISDIR.`,
    );
  });
});
