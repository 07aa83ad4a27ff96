const MIB = 1024 * 1024;

/** Bounds of a hub and of each of its channels. Every one has a default in `DEFAULT_LIMITS`. */
export interface TrickleLimits {
  /** Newest segments that a channel always keeps. */
  readonly windowSegments: number;
  /** Older segments stay until this long after their first byte, so that short segments do not leave a reader without slack. */
  readonly windowAgeMs: number;
  /** Memory that the segments of a channel take at most, 256 bytes a chunk included; the oldest leave first. */
  readonly windowBytes: number;
  /** Bytes of one segment; more are refused and the segment is cut. */
  readonly segmentBytes: number;
  /** Segments that a channel holds at most, whatever their age; those that are still to be written come on top. */
  readonly maxSegments: number;
  /** How far beyond the next write a publisher may open a segment. */
  readonly reachSegments: number;
  /** Readers of one channel at a time. */
  readonly maxReaders: number;
  /** Writers of one channel at a time, those that wait for a first byte included. */
  readonly maxWriters: number;
  /** Memory that all segments take at most, counted in the same way; beyond it bytes are refused. */
  readonly hubBytes: number;
  /** Channels of a hub. */
  readonly maxChannels: number;
  /** A channel without a write for this long is ended by the sweep. */
  readonly idleMs: number;
  /** How long a writer that another one took over may still prove, by a first byte, that it is alive. */
  readonly takeoverGraceMs: number;
}

/** Trickle spec, Limits. */
export const DEFAULT_LIMITS: TrickleLimits = {
  windowSegments: 5,
  windowAgeMs: 1000,
  windowBytes: 64 * MIB,
  segmentBytes: 16 * MIB,
  maxSegments: 1024,
  reachSegments: 256,
  maxReaders: 10_000,
  maxWriters: 1024,
  hubBytes: 1024 * MIB,
  maxChannels: 10_000,
  idleMs: 5 * 60_000,
  takeoverGraceMs: 250,
};
