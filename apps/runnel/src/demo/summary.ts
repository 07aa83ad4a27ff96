import type { ClipReport } from '@runnel/media';
import { TICKS_PER_SECOND } from '@runnel/media-core';
import { HOPS, latencyReport, type Hop } from './latency.ts';
import type { SessionRun } from './session-run.ts';

/** The result of a demo, as `--json` prints it. */
export interface DemoSummary {
  framesIn: number;
  framesOut: number;
  framesDropped: number;
  /** Frames a second that came out, over the whole run. */
  fps: number;
  /** Glass to glass: from the instant the source frame was due to the instant the viewer had it as a picture. */
  latencyMs: { p50: number; p95: number; p99: number };
  hopsMs: Partial<Record<Hop, { p50: number; p99: number }>>;
  /** Sound after picture in the output, compared with the source; null without sound. */
  avOffsetMs: number | null;
  /** What the burnt-in frame counter tells; null for a source without one. */
  counters: ClipReport['counters'];
  output: string;
}

/** Frames a second over the span of the source, which plays at its real pace. */
function framesPerSecond(run: SessionRun): number {
  const first = run.viewer[0];
  const last = run.viewer.at(-1);
  if (first === undefined || last === undefined || last.decodedMs <= first.decodedMs) return 0;
  return Math.round(((run.viewer.length - 1) / (last.decodedMs - first.decodedMs)) * 10_000) / 10;
}

/** How long after the picture the sound begins, in ticks; null when one is missing. */
function lead(starts: { audioStartPts: number | null; videoStartPts: number | null }): number | null {
  return starts.audioStartPts === null || starts.videoStartPts === null ? null : starts.audioStartPts - starts.videoStartPts;
}

/** Flash against beep where the clip has both; otherwise how far the start of the sound moved against the picture's. */
function avOffset(run: SessionRun, report: ClipReport): number | null {
  if (report.avOffsetMs !== null) return Math.round(report.avOffsetMs * 10) / 10;
  const { ingest, recorded } = run;
  const out = lead(recorded);
  const into = ingest === null ? null : lead(ingest);
  if (out === null || into === null) return null;
  const moved = out - into;
  return Math.round((moved / TICKS_PER_SECOND) * 10_000) / 10;
}

/** Puts together what the run measured and what the finished file holds. */
export function summarize(run: SessionRun, report: ClipReport, output: string): DemoSummary {
  const latency = latencyReport(run.source, run.traces, run.viewer);
  return {
    framesIn: run.source.length,
    framesOut: report.frames,
    framesDropped: Math.max(0, run.source.length - report.frames),
    fps: framesPerSecond(run),
    latencyMs: latency.totalMs,
    hopsMs: latency.hopsMs,
    avOffsetMs: avOffset(run, report),
    counters: report.counters,
    output,
  };
}

/** The summary for a person, a line an element. */
export function renderSummary(summary: DemoSummary): string[] {
  const { latencyMs, hopsMs } = summary;
  const ms = (value: number) => `${value.toFixed(1).padStart(7)} ms`;
  const lines = [
    `frames      ${summary.framesIn} in, ${summary.framesOut} out, ${summary.framesDropped} dropped, ${summary.fps} a second`,
    `latency     p50 ${ms(latencyMs.p50)}   p95 ${ms(latencyMs.p95)}   p99 ${ms(latencyMs.p99)}   glass to glass`,
  ];
  for (const hop of HOPS) {
    const value = hopsMs[hop];
    if (value !== undefined) lines.push(`  ${hop.padEnd(9)} p50 ${ms(value.p50)}                    p99 ${ms(value.p99)}`);
  }
  if (summary.avOffsetMs !== null) lines.push(`sound       ${summary.avOffsetMs} ms after the picture`);
  if (summary.counters !== null) {
    const { duplicates, gaps, misordered, unreadable } = summary.counters;
    const whole = duplicates + gaps + misordered + unreadable === 0;
    lines.push(
      `counter     ${whole ? 'every frame is there, once and in order' : `${duplicates} duplicates, ${gaps} gaps, ${misordered} out of order, ${unreadable} unreadable`}`,
    );
  }
  lines.push(`output      ${summary.output}`);
  return lines;
}
