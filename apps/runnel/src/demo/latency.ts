import type { FrameTrace } from '@runnel/schemas';

/** Where one frame was seen outside the worker, in epoch ms with fractions. */
export interface SourceStamp {
  pts: number;
  /** The instant at which the source frame was due: light on the sensor. */
  capturedMs: number;
  /** Its last byte was handed to the publisher. */
  sentMs: number;
}

/** Where one frame was seen by the viewer. */
export interface ViewerStamp {
  pts: number;
  receivedMs: number;
  /** It is a picture again: light on the glass. */
  decodedMs: number;
}

/** The way of a frame, in order. Each hop ends where the next begins, so that they add up to glass to glass. */
export const HOPS = ['ingest', 'edgeIn', 'decode', 'queue', 'process', 'encode', 'edgeOut', 'egress'] as const;
/** One stretch of the way of a frame. */
export type Hop = (typeof HOPS)[number];

/** Percentiles in milliseconds. */
export interface LatencyReport {
  /** Frames that were seen at both ends. */
  frames: number;
  /** Glass to glass. */
  totalMs: { p50: number; p95: number; p99: number };
  hopsMs: Partial<Record<Hop, { p50: number; p99: number }>>;
}

/** The value below which `share` of the sorted numbers lie (nearest rank); 0 when there are none. */
export function percentile(sorted: readonly number[], share: number): number {
  if (sorted.length === 0) return 0;
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))];
}

const ascending = (a: number, b: number): number => a - b;
const round = (ms: number): number => Math.round(ms * 10) / 10;

/** Joins what source, worker and viewer saw, by PTS, which travels unchanged. Frames without a trace count for the total only. */
export function latencyReport(source: Iterable<SourceStamp>, traces: Iterable<FrameTrace>, viewer: Iterable<ViewerStamp>): LatencyReport {
  const sources = new Map([...source].map((stamp) => [stamp.pts, stamp]));
  const workers = new Map([...traces].map((trace) => [trace.pts, trace]));
  const totals: number[] = [];
  const hops = new Map<Hop, number[]>(HOPS.map((hop) => [hop, []]));
  for (const seen of viewer) {
    const from = sources.get(seen.pts);
    if (from === undefined) continue;
    totals.push(seen.decodedMs - from.capturedMs);
    const trace = workers.get(seen.pts);
    if (trace === undefined) continue;
    const times = [
      from.capturedMs,
      from.sentMs,
      trace.receivedMs,
      trace.decodedMs,
      trace.dequeuedMs,
      trace.processedMs,
      trace.sentMs,
      seen.receivedMs,
      seen.decodedMs,
    ];
    HOPS.forEach((hop, index) => hops.get(hop)!.push(times[index + 1] - times[index]));
  }
  totals.sort(ascending);
  const hopsMs: LatencyReport['hopsMs'] = {};
  for (const [hop, values] of hops) {
    if (values.length === 0) continue;
    values.sort(ascending);
    hopsMs[hop] = { p50: round(percentile(values, 0.5)), p99: round(percentile(values, 0.99)) };
  }
  return {
    frames: totals.length,
    totalMs: { p50: round(percentile(totals, 0.5)), p95: round(percentile(totals, 0.95)), p99: round(percentile(totals, 0.99)) },
    hopsMs,
  };
}
