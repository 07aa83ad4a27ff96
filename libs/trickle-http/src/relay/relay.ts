import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { RunnelError } from '@runnel/errors';
import { createHub, type Hub, publishChanges } from '@runnel/trickle-core';
import { type ConnectionAddress, type ConnectionHost, type Destination, Http1Connection } from '../http1/connection.ts';
import { FirstPieces } from '../http1/first-piece.ts';
import { Http2Sessions } from '../http2/sessions.ts';
import { TlsAcceptor, type TlsCounters } from '../tls/acceptor.ts';
import type { TlsContextSource } from '../tls/context-source.ts';
import { addressKey } from './address.ts';
import { DEFAULT_BOUNDS } from './bounds.ts';
import type { RelayContext } from './context.ts';
import { createRelayCounters, type RelayCounters } from './counters.ts';
import type { Relay, RelayOptions } from './options.ts';
import { normalizeBase } from './path.ts';

/** How often time is looked at: takeovers, window ages, idle channels; and a part of the connections. */
const TICK_MS = 250;

/** Parts of the connections that are looked at in turn, so that each one is about once a second. */
const PARTS = 4;

/** Pending connections that the kernel keeps for us: every segment of a PyTrickle client comes on a new one. */
const BACKLOG = 4096;

/** Silence after which the kernel asks whether a peer is still there. */
const TCP_KEEP_ALIVE_MS = 30_000;

/** How long `close` lets answers finish. */
const CLOSE_DEADLINE_MS = 2000;

/** Key of a connection without an address. */
const NO_ADDRESS = '';

/** Of a connection on TLS: it counts for its address from the TCP connection to the close of that. */
const COUNTED_ALREADY: ConnectionAddress = { key: '', count: 0 };

/** Makes a relay on sockets of its own. */
export function createRelay(options: RelayOptions = {}): Relay {
  return new SocketRelay(options);
}

class SocketRelay implements Relay, ConnectionHost {
  readonly hub: Hub;
  readonly counters: RelayCounters = createRelayCounters();
  readonly context: RelayContext;
  readonly firstPieces: FirstPieces;
  nowMs: number;
  date = '';
  readonly #options: RelayOptions;
  readonly #clock: () => number;
  readonly #http2: Http2Sessions;
  readonly #servers: { server: Server; acceptor: TlsAcceptor | null; source: TlsContextSource | null }[] = [];
  readonly #addresses = new Map<string, ConnectionAddress>();
  readonly #parts: readonly Set<Http1Connection>[] = Array.from({ length: PARTS }, () => new Set<Http1Connection>());
  readonly #timer: NodeJS.Timeout;
  #connections = 0;
  /** Connections served so far: the next one's place in the turns. */
  #served = 0;
  #ticks = 0;
  #closing: Promise<void> | null = null;

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#clock = options.clock ?? Date.now;
    this.nowMs = this.#clock();
    this.hub = createHub({ clock: this.#clock, limits: options.limits });
    this.context = {
      hub: this.hub,
      counters: this.counters,
      bounds: { ...DEFAULT_BOUNDS, ...options.bounds },
      base: normalizeBase(options.basePath ?? '/trickle/'),
      creation: options.creation ?? 'off',
      defaultMimeType: 'application/octet-stream',
      continueIntervalMs: options.continueIntervalMs ?? 10_000,
      endDrainMs: options.endDrainMs ?? 1000,
      authorizer: options.authorizer ?? null,
      upstream: options.upstream ?? null,
      shard: options.shard ?? null,
      foreign: options.foreign !== undefined,
      onFirstByte: options.onFirstByte ?? null,
    };
    this.firstPieces = new FirstPieces(this.context);
    this.#http2 = new Http2Sessions(this.context, options.http2);
    if (options.changes === true) publishChanges(this.hub);
    this.#tick();
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  get connections(): number {
    return this.#connections;
  }

  get http2Counters() {
    return this.#http2.counters;
  }

  get http2Streams(): number {
    return this.#http2.streams;
  }

  get tlsCounters(): TlsCounters {
    const sum: TlsCounters = { handshakes: 0, resumed: 0, failed: 0, late: 0, refused: 0 };
    for (const { acceptor } of this.#servers) {
      if (acceptor !== null) for (const key of Object.keys(sum) as (keyof TlsCounters)[]) sum[key] += acceptor.counters[key];
    }
    return sum;
  }

  async listen({ host, port, tls }: { host: string; port: number; tls?: TlsContextSource }): Promise<{ url: string }> {
    const acceptor =
      tls === undefined ? null : new TlsAcceptor(tls, { onSecure: (socket) => this.#secure(socket), bounds: this.#options.tls });
    const server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: TCP_KEEP_ALIVE_MS }, (socket) => {
      this.#accept(socket, acceptor);
    });
    this.#servers.push({ server, acceptor, source: tls ?? null });
    await new Promise<void>((resolve, reject) => {
      const onError = (error: NodeJS.ErrnoException) => {
        const where = `${host}:${port}`;
        const inUse = error.code === 'EADDRINUSE';
        const message = inUse ? `${where} is taken by another program.` : `Cannot listen on ${where}: ${error.message}`;
        reject(new RunnelError(inUse ? 'port_in_use' : 'invalid_config', { message, cause: error }));
      };
      server.once('error', onError);
      server.listen({ host, port, backlog: BACKLOG }, () => {
        server.off('error', onError);
        // What fails on a server that listens fails for one connection, such as one too many for the process.
        server.on('error', () => {});
        resolve();
      });
    });
    const address = server.address() as AddressInfo;
    const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
    return { url: `${tls === undefined ? 'http' : 'https'}://${name}:${address.port}${this.context.base}` };
  }

  adopt(socket: Socket, received: Buffer): void {
    socket.setNoDelay(true);
    // Whoever gives a connection away has stopped its reading.
    socket.resume();
    const address = this.#admit(socket, { counted: false });
    if (address !== null) this.#serve(socket, address, received);
  }

  async drain({ deadlineMs }: { deadlineMs: number }): Promise<number> {
    this.hub.refuseNew('This edge is going down: ask another one.');
    const left = () => [...this.hub.channels].filter(({ name }) => !name.startsWith('_')).length;
    if (left() > 0) {
      await new Promise<void>((resolve) => {
        const done = () => {
          clearTimeout(timer);
          stop();
          resolve();
        };
        const timer = setTimeout(done, deadlineMs);
        const stop = this.hub.onChange(() => {
          if (left() === 0) done();
        });
      });
    }
    return left();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  left(connection: Http1Connection): void {
    this.#parts[connection.part].delete(connection);
    if (connection.address !== COUNTED_ALREADY) this.#release(connection.address);
  }

  handOver(socket: Socket, received: Buffer, to: Destination): void {
    if (to.kind === 'elsewhere') return this.context.shard!.elsewhere(to.channel, socket, received);
    // It goes on to count for its address; on TLS it does so until the TCP connection under it is closed.
    if (!('encrypted' in socket)) {
      const address = this.#admit(socket, { counted: true });
      if (address === null) return;
      socket.once('close', () => this.#release(address));
    }
    socket.unshift(received);
    this.#options.foreign!(socket);
  }

  #accept(socket: Socket, acceptor: TlsAcceptor | null): void {
    const address = this.#admit(socket, { counted: false });
    if (address === null) return;
    this.counters.connections += 1;
    if (acceptor !== null) {
      socket.once('close', () => this.#release(address));
      return acceptor.accept(socket);
    }
    this.#serve(socket, address, null);
  }

  /** A slot for a connection, or null when there is none and the client was told so. */
  #admit(socket: Socket, { counted }: { counted: boolean }): ConnectionAddress | null {
    const { maxConnections, maxConnectionsPerAddress } = this.context.bounds;
    const key = addressKey(socket.remoteAddress);
    const known = this.#addresses.get(key);
    const full = this.#connections >= maxConnections;
    const crowded = key !== NO_ADDRESS && known !== undefined && known.count >= maxConnectionsPerAddress;
    if (!counted && (full || this.#closing !== null || crowded)) {
      this.counters.refusedConnections += 1;
      socket.on('error', () => {});
      socket.end(full || this.#closing !== null ? FULL_ANSWER : TOO_MANY_ANSWER);
      socket.destroySoon();
      return null;
    }
    this.#connections += 1;
    if (known !== undefined) {
      known.count += 1;
      return known;
    }
    const address = { key, count: 1 };
    this.#addresses.set(key, address);
    return address;
  }

  #release(address: ConnectionAddress): void {
    this.#connections -= 1;
    address.count -= 1;
    if (address.count === 0) this.#addresses.delete(address.key);
  }

  #serve(socket: Socket, address: ConnectionAddress, received: Buffer | null): void {
    this.#served += 1;
    const part = (this.#served + this.#ticks) % PARTS;
    const connection = new Http1Connection(socket, this, { address, part });
    this.#parts[part].add(connection);
    if (received !== null) connection.receive(received);
  }

  #secure(socket: TLSSocket): void {
    if (socket.alpnProtocol === 'h2') return this.#http2.serve(socket);
    this.#serve(socket, COUNTED_ALREADY, null);
  }

  #tick(): void {
    this.nowMs = this.#clock();
    this.date = new Date(this.nowMs).toUTCString();
    this.hub.sweep(this.nowMs);
    this.firstPieces.clear();
    this.#ticks += 1;
    for (const connection of this.#parts[this.#ticks % PARTS]) connection.tick(this.nowMs);
    if (this.#ticks % PARTS === 0) this.#http2.tick(this.nowMs);
  }

  async #close(): Promise<void> {
    clearInterval(this.#timer);
    this.hub.endAll();
    const closed = this.#servers.map(({ server, acceptor, source }) => {
      acceptor?.close();
      source?.close();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    });
    for (const part of this.#parts) for (const connection of part) connection.retire();
    const deadline = setTimeout(() => {
      for (const part of this.#parts) for (const connection of part) connection.destroy();
    }, CLOSE_DEADLINE_MS);
    await Promise.all([...closed, this.#http2.close()]);
    clearTimeout(deadline);
  }
}

const FULL_ANSWER = 'HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n';
const TOO_MANY_ANSWER = 'HTTP/1.1 429 Too Many Requests\r\nConnection: close\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n';
