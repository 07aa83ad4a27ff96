/** What a relay has counted on its connections since it was made. All only grow. */
export interface RelayCounters {
  /** Connections accepted. */
  connections: number;
  /** Requests under the base. */
  requests: number;
  /** Connections refused because there are too many, in all or of one address. */
  refusedConnections: number;
  /** Requests that are not HTTP as it has to be: 400 and the connection ends. */
  malformed: number;
  /** Headers too large: 431. */
  headersTooLarge: number;
  /** Headers that took too long: 408. */
  headerTimeouts: number;
  /** Bodies without a first byte, or without a further byte, for too long: 408. */
  bodyTimeouts: number;
  /** Connections ended because no request came. */
  idleTimeouts: number;
  /** Subscribers reset because they took nothing for too long. */
  stalled: number;
  /** Requests without a valid token: 401. */
  unauthorized: number;
  /** Requests whose token lacks the right: 403. */
  forbidden: number;
  /** Segments that grew too large: 413. */
  tooLarge: number;
  /** Requests beyond a limit on channels, readers or writers: 429. */
  limited: number;
  /** Bytes refused because the relay holds too much: 507. */
  full: number;
  /** Unknown channels: 404. */
  notFound: number;
}

/** All zero. */
export function createRelayCounters(): RelayCounters {
  return {
    connections: 0,
    requests: 0,
    refusedConnections: 0,
    malformed: 0,
    headersTooLarge: 0,
    headerTimeouts: 0,
    bodyTimeouts: 0,
    idleTimeouts: 0,
    stalled: 0,
    unauthorized: 0,
    forbidden: 0,
    tooLarge: 0,
    limited: 0,
    full: 0,
    notFound: 0,
  };
}
