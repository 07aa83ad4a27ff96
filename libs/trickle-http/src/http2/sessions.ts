import type { TLSSocket } from 'node:tls';
import type { RelayContext } from '../relay/context.ts';
import { DEFAULT_HTTP2_BOUNDS, type Http2Bounds } from './bounds.ts';
import { Http2Connection, type Http2Context } from './connection.ts';
import { createHttp2Counters, type Http2Counters } from './counters.ts';

/** How long `close` lets streams finish. */
const CLOSE_DEADLINE_MS = 2000;

/** All HTTP/2 connections of one relay. */
export class Http2Sessions {
  readonly #context: Http2Context;
  readonly #connections = new Set<Http2Connection>();

  constructor(relay: RelayContext, bounds: Partial<Http2Bounds> = {}) {
    this.#context = { relay, bounds: { ...DEFAULT_HTTP2_BOUNDS, ...bounds }, counters: createHttp2Counters(), streams: 0 };
  }

  /** Since the relay was made. */
  get counters(): Readonly<Http2Counters> {
    return this.#context.counters;
  }

  /** Requests under way. */
  get streams(): number {
    return this.#context.streams;
  }

  /** Takes over a secure connection that has agreed on `h2` and was not read from. */
  serve(socket: TLSSocket): void {
    this.#context.counters.connections += 1;
    const connection = new Http2Connection(this.#context, socket, () => this.#connections.delete(connection));
    this.#connections.add(connection);
  }

  /** Looks at the deadlines of all connections and streams. */
  tick(nowMs: number): void {
    for (const connection of this.#connections) connection.tick(nowMs);
  }

  /** Tells every peer to go (GOAWAY), lets streams finish, and ends what is left at the deadline. Idempotent. */
  async close(): Promise<void> {
    await Promise.all([...this.#connections].map((connection) => connection.close(CLOSE_DEADLINE_MS)));
  }
}
