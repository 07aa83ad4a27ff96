import { type AddressInfo, connect as connectTcp, createServer, type Socket } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../testing/bench.ts';
import { makePair, PairFiles } from '../testing/certificates.ts';
import { TlsAcceptor, type TlsBounds } from './acceptor.ts';
import { fileCertificates } from './file-certificates.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  while (cleanups.length > 0) await cleanups.pop()!();
});

/** An echo server behind an acceptor. */
async function setUp(bounds: Partial<TlsBounds> = {}) {
  const files = new PairFiles(await makePair());
  const source = fileCertificates({ certFile: files.certFile, keyFile: files.keyFile, pollMs: 0 });
  const accepted = new Set<Socket>();
  const secure: TLSSocket[] = [];
  const acceptor = new TlsAcceptor(source, {
    bounds,
    onSecure: (socket) => {
      secure.push(socket);
      socket.on('error', () => {});
      socket.pipe(socket);
    },
  });
  const server = createServer((socket) => {
    accepted.add(socket);
    socket.once('close', () => accepted.delete(socket));
    acceptor.accept(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const clients: Socket[] = [];
  cleanups.push(async () => {
    for (const client of clients) client.destroy();
    acceptor.close();
    source.close();
    files.remove();
    await new Promise((resolve) => server.close(resolve));
  });
  const tcp = () => {
    const socket = connectTcp({ host: '127.0.0.1', port });
    socket.on('error', () => {});
    clients.push(socket);
    return socket;
  };
  const tls = async (session?: Buffer) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, session });
    clients.push(socket);
    await new Promise<void>((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
    return socket;
  };
  return { acceptor, accepted, secure, tcp, tls };
}

/** The first record of a client that stands alone, to be sent as often as a test likes. */
async function clientHello(): Promise<Buffer> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const hello = new Promise<Buffer>((resolve) => server.once('connection', (socket) => socket.once('data', resolve)));
  const client = connect({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, rejectUnauthorized: false });
  client.on('error', () => {});
  const bytes = await hello;
  client.destroy();
  server.close();
  return bytes;
}

const closed = (socket: Socket) => new Promise((resolve) => (socket.destroyed ? resolve(null) : socket.once('close', resolve).resume()));

describe('the TLS acceptor', () => {
  it('hands over connections when they are secure, and counts those that resumed a session', async () => {
    const { acceptor, secure, tls } = await setUp();
    const first = await tls();
    const ticket = new Promise<Buffer>((resolve) => first.once('session', resolve));
    first.write('x');
    await tls(await ticket);
    await eventually(() => secure.length === 2);
    expect(acceptor.counters).toEqual({ handshakes: 2, resumed: 1, failed: 0, late: 0, refused: 0 });
    expect(acceptor.pending).toBe(0);
  });

  it('reads a first record that comes byte by byte', async () => {
    const { acceptor, tcp } = await setUp();
    const socket = tcp();
    const answer = new Promise<Buffer>((resolve) => socket.once('data', resolve));
    for (const byte of await clientHello()) {
      socket.write(Buffer.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    // A record of type handshake comes back: the server's hello.
    expect((await answer)[0]).toBe(22);
    expect(acceptor.counters.failed).toBe(0);
  });

  it('tells a client that speaks plain HTTP what to do instead', async () => {
    const { acceptor, tcp } = await setUp();
    const socket = tcp();
    let text = '';
    socket.on('data', (data) => (text += String(data)));
    socket.write('GET / HTTP/1.1\r\n\r\n');
    await closed(socket);
    expect(text).toMatch(/^HTTP\/1\.1 400 [^]*https:/);
    expect(acceptor.counters.failed).toBe(1);
    await eventually(() => acceptor.pending === 0);
  });

  it('closes what is not secure at the deadline: the silent, and those who stop in the middle of a handshake', async () => {
    const { acceptor, accepted, tcp } = await setUp({ handshakeMs: 300 });
    const silent = tcp();
    const half = tcp();
    half.write(await clientHello());
    await Promise.all([closed(silent), closed(half)]);
    await eventually(() => accepted.size === 0 && acceptor.pending === 0);
    expect(acceptor.counters.handshakes).toBe(0);
    expect(acceptor.counters.late + acceptor.counters.failed).toBeGreaterThanOrEqual(2);
  });

  it('closes at the deadline also those who never stop sending something', async () => {
    const { acceptor, tcp } = await setUp({ handshakeMs: 1000 });
    const socket = tcp();
    // One record that is announced as 16 KiB and comes a byte at a time.
    socket.write(Buffer.from([22, 3, 1, 0x40, 0]));
    const drip = setInterval(() => socket.write(Buffer.of(0)), 50);
    cleanups.push(() => clearInterval(drip));
    await closed(socket);
    clearInterval(drip);
    expect(acceptor.counters.late).toBe(1);
  });

  it('closes connections beyond the bound at once, and serves those within it', async () => {
    const { acceptor, tcp, tls } = await setUp({ maxHandshakes: 3 });
    const silent = [tcp(), tcp(), tcp()];
    await eventually(() => acceptor.pending === 3);
    await closed(tcp());
    expect(acceptor.counters.refused).toBe(1);
    silent[0].destroy();
    await eventually(() => acceptor.pending === 2);
    expect((await tls()).authorized).toBe(false);
    await eventually(() => acceptor.counters.handshakes === 1);
  });

  it('does every handshake of a flood, in turns of the event loop', async () => {
    const { acceptor, accepted, tcp } = await setUp({ turnBudgetMs: 0 });
    const hello = await clientHello();
    const sockets = Array.from({ length: 100 }, () => tcp());
    await eventually(() => acceptor.pending === 100);
    const answers = sockets.map((socket) => new Promise<Buffer>((resolve) => socket.once('data', resolve)));
    // All at once, so that many stand in the queue when its turn comes.
    for (const socket of sockets) socket.write(hello);
    for (const answer of await Promise.all(answers)) expect(answer[0]).toBe(22);
    expect(acceptor.pending).toBe(100);
    acceptor.close();
    await eventually(() => accepted.size === 0);
    expect(acceptor.pending).toBe(0);
  });
});
