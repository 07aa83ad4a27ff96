import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import type { Channel, Hub, TrickleLimits } from '@runnel/trickle-core';
import type { Authorizer } from '../capability/authorizer.ts';
import type { Http2Bounds } from '../http2/bounds.ts';
import type { Http2Counters } from '../http2/counters.ts';
import type { TlsBounds, TlsCounters } from '../tls/acceptor.ts';
import type { TlsContextSource } from '../tls/context-source.ts';
import type { ConnectionBounds } from './bounds.ts';
import type { RelayCounters } from './counters.ts';

/** Who may make channels over HTTP: nobody; whoever asks (`POST {base}{channel}`); also whoever publishes to a new name. */
export type ChannelCreation = 'off' | 'explicit' | 'auto';

/** Finds channels that this relay does not own (Trickle spec, Cascade). */
export interface Upstream {
  /**
   * The local mirror of a channel, opened when it is not there; null when nobody has the channel.
   * @throws RunnelError `loop_detected`, `edge_unreachable`, `deadline_exceeded`, `limit_exceeded`.
   */
  open(request: { channel: string; target: number; via: string | null }): Promise<Channel | null>;
}

/** A relay that has only some of the channels, those of its shard, or none and hands all on. */
export interface Shard {
  /** Base URL of this shard alone, with a slash at its end; null when it has none that clients may use. */
  readonly url: string | null;
  /** Whether a channel of this name lives here. */
  owns(channel: string): boolean;
  /** Takes a connection whose next request is for another shard: detached and paused, with the bytes not yet answered. */
  elsewhere(channel: string, socket: Socket, received: Buffer): void;
  /** Takes one request of an HTTP/2 connection that is for another shard; it stays a stream of that connection. */
  elsewhereStream(channel: string, stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void;
}

/** Settings of a relay. */
export interface RelayOptions {
  /** Path under which the channels stand. Default `/trickle/`. */
  basePath?: string;
  /** Default `off`: only the owner of the relay makes channels. */
  creation?: ChannelCreation;
  /** Keep the channel `_changes`. Default false. */
  changes?: boolean;
  limits?: Partial<TrickleLimits>;
  bounds?: Partial<ConnectionBounds>;
  http2?: Partial<Http2Bounds>;
  tls?: Partial<TlsBounds>;
  /** Between two `100 Continue` on a POST that waits for its first byte. Default 10 s. */
  continueIntervalMs?: number;
  /** How long the end of a channel waits for a reader that is behind. Default 1 s. */
  endDrainMs?: number;
  /** Milliseconds since the epoch. Default the system's. */
  clock?: () => number;
  /** Paths carry tokens; absent: whoever knows a channel's name may use it. */
  authorizer?: Authorizer;
  upstream?: Upstream;
  shard?: Shard;
  /** Takes a connection whose request is outside the base, with its bytes put back. Absent: such requests are 404. */
  foreign?: (socket: Duplex) => void;
  /** Told of each GET served: milliseconds from the segment's first byte, or the GET if that came later, to the answer's first byte. */
  onFirstByte?: (ms: number) => void;
}

/** A relay: a hub behind sockets. */
export interface Relay {
  readonly hub: Hub;
  readonly counters: Readonly<RelayCounters>;
  readonly http2Counters: Readonly<Http2Counters>;
  /** Requests under way on HTTP/2 connections. */
  readonly http2Streams: number;
  /** Sums of all addresses that speak TLS. */
  readonly tlsCounters: Readonly<TlsCounters>;
  /** Connections open now. */
  readonly connections: number;
  /**
   * Starts to listen; port 0 takes a free one. `url` ends with the base path: a channel's URL is `url + name`. May be called again for
   * another address.
   * @throws RunnelError `port_in_use`, `invalid_config`.
   */
  listen(address: { host: string; port: number; tls?: TlsContextSource }): Promise<{ url: string }>;
  /**
   * Takes over a connected socket and what was read from it. It is counted as a connection that is open here, not as one accepted; one without an
   * address, a Unix socket, is no address's.
   */
  adopt(socket: Socket, received: Buffer): void;
  /** Makes no new channels; resolves when none is left or at the deadline, with the number left. */
  drain(options: { deadlineMs: number }): Promise<number>;
  /** Ends all channels, then all connections (bounded). Idempotent. */
  close(): Promise<void>;
}
