/** Bounds on connections and requests. Every one has a default in `DEFAULT_BOUNDS` (Trickle spec, Limits). */
export interface ConnectionBounds {
  /** Connections at a time. */
  readonly maxConnections: number;
  /** Connections at a time of one IPv4 address or one IPv6 /64. */
  readonly maxConnectionsPerAddress: number;
  /** Request line and headers. */
  readonly headerBytes: number;
  /** From a request's first byte to the end of its headers. */
  readonly headerMs: number;
  /** A connection without a request. */
  readonly keepAliveMs: number;
  /** A POST without a first byte. */
  readonly firstByteMs: number;
  /** Between two bytes of a body that has begun. */
  readonly interByteMs: number;
  /** A subscriber that takes nothing of what is there for it. */
  readonly stallMs: number;
}

/** Trickle spec, Limits. */
export const DEFAULT_BOUNDS: ConnectionBounds = {
  maxConnections: 50_000,
  maxConnectionsPerAddress: 20_000,
  headerBytes: 8192,
  headerMs: 10_000,
  // Above the 60 s that common proxies keep an idle connection, so that they close first.
  keepAliveMs: 75_000,
  firstByteMs: 30 * 60_000,
  interByteMs: 60_000,
  stallMs: 30_000,
};
