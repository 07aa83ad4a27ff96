import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { readFirstRecord } from './first-record.ts';
import type { TlsContextSource } from './context-source.ts';

/** What connections may cost before they are secure. */
export interface TlsBounds {
  /** Connections that are not secure yet, at a time; more are closed at once. */
  readonly maxHandshakes: number;
  /** From the connection to the end of the handshake. */
  readonly handshakeMs: number;
  /** Time that handshakes may take in one turn of the event loop before streams get theirs. */
  readonly turnBudgetMs: number;
}

/** Trickle spec, TLS. */
const DEFAULT_TLS_BOUNDS: TlsBounds = { maxHandshakes: 1024, handshakeMs: 10_000, turnBudgetMs: 2 };

/** What became of handshakes. All only grow. */
export interface TlsCounters {
  handshakes: number;
  /** Of these, those that took up an earlier session and were spared most of the work. */
  resumed: number;
  /** The peer spoke no TLS, or took neither our versions and ciphers nor our certificate. */
  failed: number;
  /** Given up at the deadline. */
  late: number;
  /** Refused because too many were under way. */
  refused: number;
}

/** How often handshakes that are late are looked for. */
const SWEEP_MS = 1000;

/**
 * Makes TCP connections secure, in bounds and in turns.
 *
 * The costly step of a handshake is one signature when the client's first record has come, which blocks the event loop. Connections
 * therefore wait here until that record is whole, and then take turns: after `turnBudgetMs` of handshakes everything else comes first.
 */
export class TlsAcceptor {
  readonly counters: TlsCounters = { handshakes: 0, resumed: 0, failed: 0, late: 0, refused: 0 };
  readonly #bounds: TlsBounds;
  readonly #server: Server;
  readonly #timer: NodeJS.Timeout;
  /** Connections that are not secure yet, by peer and oldest first. */
  readonly #underWay = new Map<string, { socket: Socket; sinceMs: number }>();
  readonly #ready: Socket[] = [];
  #turnPlanned = false;

  /** `onSecure` takes over each connection whose handshake is done; its `alpnProtocol` says what it speaks. */
  constructor(source: TlsContextSource, options: { onSecure: (socket: TLSSocket) => void; bounds?: Partial<TlsBounds> }) {
    this.#bounds = { ...DEFAULT_TLS_BOUNDS, ...options.bounds };
    this.#server = createServer({ ...source.options, handshakeTimeout: this.#bounds.handshakeMs });
    source.attach(this.#server);
    this.#server.on('secureConnection', (socket: TLSSocket) => {
      this.#underWay.delete(peerOf(socket));
      this.counters.handshakes += 1;
      if (socket.isSessionReused()) this.counters.resumed += 1;
      options.onSecure(socket);
    });
    this.#server.on('tlsClientError', (_error, socket: TLSSocket) => {
      this.counters.failed += 1;
      socket.destroy();
    });
    this.#timer = setInterval(() => this.#sweep(), SWEEP_MS).unref();
  }

  /** Connections that are not secure yet. */
  get pending(): number {
    return this.#underWay.size;
  }

  /** Takes over a connection that has just been accepted and not read from. */
  accept(socket: Socket): void {
    const peer = peerOf(socket);
    if (this.#underWay.size >= this.#bounds.maxHandshakes || this.#underWay.has(peer)) {
      this.counters.refused += 1;
      socket.destroy();
      return;
    }
    const entry = { socket, sinceMs: performance.now() };
    this.#underWay.set(peer, entry);
    // Without a listener a reset by the peer would end the process.
    socket.on('error', () => {});
    socket.once('close', () => {
      if (this.#underWay.get(peer) === entry) this.#underWay.delete(peer);
    });
    readFirstRecord(socket, (outcome) => {
      if (outcome === 'whole') return this.#enqueue(socket);
      this.counters.failed += 1;
      if (outcome === 'not_tls') socket.end(PLAIN_HTTP_ANSWER);
      else socket.destroy();
    });
  }

  /** Drops every connection that is not secure yet. Idempotent. */
  close(): void {
    clearInterval(this.#timer);
    for (const { socket } of this.#underWay.values()) socket.destroy();
    this.#ready.length = 0;
    this.#server.close();
  }

  #enqueue(socket: Socket): void {
    this.#ready.push(socket);
    this.#planTurn();
  }

  #planTurn(): void {
    if (this.#turnPlanned || this.#ready.length === 0) return;
    this.#turnPlanned = true;
    setImmediate(() => {
      this.#turnPlanned = false;
      this.#next(performance.now() + this.#bounds.turnBudgetMs);
    });
  }

  #next(untilMs: number): void {
    const socket = this.#ready.shift();
    if (socket === undefined) return;
    if (!socket.destroyed) this.#server.emit('connection', socket);
    // Node reads what has come one tick after it took the connection over: only then has this handshake taken its time.
    process.nextTick(() => {
      if (performance.now() < untilMs) this.#next(untilMs);
      else this.#planTurn();
    });
  }

  #sweep(): void {
    const dueMs = performance.now() - this.#bounds.handshakeMs;
    for (const { socket, sinceMs } of this.#underWay.values()) {
      if (sinceMs > dueMs) break;
      this.counters.late += 1;
      socket.destroy();
    }
  }
}

/** Both ends of a connection: what a TCP connection and the TLS connection on it have in common. */
function peerOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}

/** For whoever wrote http:// where https:// belongs. */
const PLAIN_HTTP_ANSWER =
  'HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\nThis port speaks TLS: use https://\n';
