import { monitorEventLoopDelay } from 'node:perf_hooks';

/**
 * How often the delay is sampled, and how long one measurement lasts, in milliseconds. Each sample wakes the process, and an
 * idle one does little else.
 */
const SAMPLE_MS = 50;
const INTERVAL_MS = 5000;
const NS_PER_MS = 1e6;

/** How late the event loop was in one interval, in milliseconds. */
export interface LoopDelay {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Measures how late the event loop is. Whoever makes one closes it. */
export class EventLoopMonitor {
  readonly #histogram = monitorEventLoopDelay({ resolution: SAMPLE_MS });
  readonly #timer: NodeJS.Timeout;
  #last: LoopDelay = { p50: 0, p99: 0, max: 0 };

  constructor({ intervalMs = INTERVAL_MS }: { intervalMs?: number } = {}) {
    this.#histogram.enable();
    this.#timer = setInterval(() => {
      this.#last = this.#read();
      this.#histogram.reset();
    }, intervalMs).unref();
  }

  /** The delay in the last whole interval of 5 s, and what is worse than that since. */
  get delay(): LoopDelay {
    const now = this.#read();
    return now.max > this.#last.max ? now : this.#last;
  }

  /** Stops the measurement. Idempotent. */
  close(): void {
    clearInterval(this.#timer);
    this.#histogram.disable();
  }

  #read(): LoopDelay {
    if (this.#histogram.count === 0) return { p50: 0, p99: 0, max: 0 };
    // A sample is the time between two timers, the planned time included.
    const late = (ns: number) => Math.max(0, ns / NS_PER_MS - SAMPLE_MS);
    return {
      p50: late(this.#histogram.percentile(50)),
      p99: late(this.#histogram.percentile(99)),
      max: late(this.#histogram.max),
    };
  }
}
