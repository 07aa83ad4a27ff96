/** What a hub has counted since it was made. All only grow. */
export interface HubCounters {
  channelsCreated: number;
  channelsEnded: number;
  /** Segments that received a first byte or were ended empty. */
  segments: number;
  /** Segments whose publisher died in the middle. */
  cuts: number;
  /** Segments that left a window. */
  evictions: number;
  /** Readers that were in the middle of a segment when it left the window. */
  readersLost: number;
  /** Reads that asked for a segment which is not in the window. */
  gaps: number;
  /** Writers that waited for a first byte and gave way to another one. */
  takeovers: number;
  /** Bytes refused because all segments together took too much memory, by request. */
  refusedForSpace: number;
  bytesIn: number;
  bytesOut: number;
}

/** All zero. */
export function createCounters(): HubCounters {
  return {
    channelsCreated: 0,
    channelsEnded: 0,
    segments: 0,
    cuts: 0,
    evictions: 0,
    readersLost: 0,
    gaps: 0,
    takeovers: 0,
    refusedForSpace: 0,
    bytesIn: 0,
    bytesOut: 0,
  };
}
