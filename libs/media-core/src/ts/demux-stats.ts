/** What a demuxer has met. Counters only grow. */
export interface TsDemuxStats {
  packets: number;
  /** Sync byte lost; bytes were skipped to find it again. */
  syncLosses: number;
  /** Packets that the sender marked as broken, or whose adaptation field is impossible. */
  badPackets: number;
  /** Continuity counter not as expected: packets are missing. */
  continuityErrors: number;
  /** Counters that began again at 0 with a new unit: a new segment or muxer, no loss. */
  restarts: number;
  duplicates: number;
  /** PAT or PMT sections with a wrong CRC or length. */
  brokenSections: number;
  /** Units thrown away: packets missing, over the size cap, malformed, or without PTS. */
  droppedUnits: number;
  units: number;
  /** Units with unknown length that were handed over before the next one began. */
  earlyUnits: number;
}

/** All counters at zero. */
export function createStats(): TsDemuxStats {
  return {
    packets: 0,
    syncLosses: 0,
    badPackets: 0,
    continuityErrors: 0,
    restarts: 0,
    duplicates: 0,
    brokenSections: 0,
    droppedUnits: 0,
    units: 0,
    earlyUnits: 0,
  };
}
