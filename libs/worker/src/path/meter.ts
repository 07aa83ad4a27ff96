import type { SessionStats } from '@runnel/schemas';

/** Latencies of how many latest frames make the percentiles. */
const LATENCY_FRAMES = 600;
/** Time over which rates are taken. */
const RATE_WINDOW_MS = 10_000;
/** More marks in a window than this make a rate no better. */
const RATE_MARKS_MAX = 2_400;

/** Counts the frames of a session and measures its rates and latencies. */
export class Meter {
  framesIn = 0;
  framesOut = 0;
  framesDropped = 0;
  readonly #in: number[] = [];
  readonly #out: number[] = [];
  readonly #latencies: number[] = [];

  /** A frame was decoded. */
  frameIn(nowMs: number): void {
    this.framesIn += 1;
    mark(this.#in, nowMs);
  }

  /** A frame was sent; `receivedMs` is when its last input byte came. */
  frameOut(nowMs: number, receivedMs: number): void {
    this.framesOut += 1;
    mark(this.#out, nowMs);
    this.#latencies.push(nowMs - receivedMs);
    if (this.#latencies.length > LATENCY_FRAMES) this.#latencies.shift();
  }

  /** All figures as events and the API carry them. */
  stats(nowMs: number): SessionStats {
    const sorted = [...this.#latencies].sort((a, b) => a - b);
    return {
      framesIn: this.framesIn,
      framesOut: this.framesOut,
      framesDropped: this.framesDropped,
      fpsIn: rate(this.#in, nowMs),
      fpsOut: rate(this.#out, nowMs),
      latencyMs: { p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99) },
    };
  }
}

function mark(marks: number[], nowMs: number): void {
  marks.push(nowMs);
  if (marks.length > RATE_MARKS_MAX) marks.shift();
}

function rate(marks: number[], nowMs: number): number {
  while (marks.length > 0 && marks[0] < nowMs - RATE_WINDOW_MS) marks.shift();
  const spanMs = marks.length < 2 ? 0 : marks.at(-1)! - marks[0];
  return spanMs <= 0 ? 0 : ((marks.length - 1) * 1000) / spanMs;
}

/** Nearest-rank percentile; 0 without values. */
function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}
