/** What an upstream has counted since it was made. All only grow. */
export interface CascadeCounters {
  /** Mirrors opened. */
  opened: number;
  /** Channels that no upstream edge has. */
  notFound: number;
  /** Requests answered from memory: the channel was asked for a moment ago. */
  remembered: number;
  /** Requests refused because they had come through this edge, or through too many. */
  loops: number;
  /** Attempts at an upstream edge that failed: no connection, no answer in time, or an answer that makes no sense. */
  failures: number;
  /** Mirrors that went on after their upstream edge had been lost. */
  reconnects: number;
  /** Mirrors that ended because their upstream edge stayed away. */
  lost: number;
  /** Holes in what a mirror received, which its readers are told of. */
  gaps: number;
  /** Segments that came in part. */
  cuts: number;
}

/** All zero. */
export function createCascadeCounters(): CascadeCounters {
  return { opened: 0, notFound: 0, remembered: 0, loops: 0, failures: 0, reconnects: 0, lost: 0, gaps: 0, cuts: 0 };
}
