/** What happened on the HTTP/2 connections of a relay. All only grow. */
export interface Http2Counters {
  connections: number;
  streams: number;
  /** Requests refused because too many were under way on all connections. */
  refusedStreams: number;
  /** Connections ended because the peer broke the protocol or sent floods of frames. */
  violations: number;
}

/** All zero. */
export function createHttp2Counters(): Http2Counters {
  return { connections: 0, streams: 0, refusedStreams: 0, violations: 0 };
}
