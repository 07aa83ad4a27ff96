/** Bounds on HTTP/2 connections beside those on all connections (Trickle spec, HTTP/2). */
export interface Http2Bounds {
  /** Requests under way on one connection; more are refused and may be sent again (RFC 9113, 8.7). */
  readonly maxStreamsPerConnection: number;
  /** Requests under way on all HTTP/2 connections together; likewise. */
  readonly maxStreams: number;
  /** What a publisher may send of one segment before it hears from us. Bodies are taken at once, so that it costs nothing. */
  readonly streamWindowBytes: number;
  /** The same for all segments of one connection. */
  readonly connectionWindowBytes: number;
  /** SETTINGS and PING frames that one connection may send at once, and that grow back in a second. */
  readonly controlFrameBurst: number;
  readonly controlFramesPerSecond: number;
  /** Streams that a client may reset at once, and that grow back in a second: CVE-2023-44487. */
  readonly resetBurst: number;
  readonly resetsPerSecond: number;
}

const MIB = 1024 * 1024;

/** Trickle spec, HTTP/2. */
export const DEFAULT_HTTP2_BOUNDS: Http2Bounds = {
  maxStreamsPerConnection: 256,
  maxStreams: 50_000,
  streamWindowBytes: MIB,
  connectionWindowBytes: 4 * MIB,
  controlFrameBurst: 1000,
  controlFramesPerSecond: 100,
  // A client that leaves resets what it waits on, all at once; a subscriber that re-opens its preconnects does it every 20 s.
  resetBurst: 1000,
  resetsPerSecond: 33,
};
