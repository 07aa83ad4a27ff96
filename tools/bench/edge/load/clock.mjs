import { createHistogram } from 'node:perf_hooks';

/** Writes that are made before the sockets are looked at again: a generator that only catches up would not see what has arrived. */
const BATCH = 32;

/** Makes writes due at an even rate, and keeps how late it was: the generator's own lag. */
export class Clock {
  #lag = createHistogram();

  /** Calls `due(n)` for n from 0 to `count - 1`, `perSecond` times a second; resolves after the last. `running()` false ends it early. */
  run({ count, perSecond, due, running = () => true }) {
    const startMs = performance.now();
    const gapMs = 1000 / perSecond;
    let next = 0;
    return new Promise((resolve) => {
      const tick = () => {
        const untilMs = performance.now();
        for (let batch = 0; batch < BATCH && next < count && startMs + next * gapMs <= untilMs; batch += 1) {
          this.#lag.record(Math.max(1, Math.round((performance.now() - startMs - next * gapMs) * 1000)));
          due(next);
          next += 1;
        }
        if (next === count || !running()) resolve();
        else if (startMs + next * gapMs <= untilMs) setImmediate(tick);
        else setTimeout(tick, 1);
      };
      tick();
    });
  }

  /** How late 99 of 100 writes were at most since the last call, ms. */
  takeLagP99Ms() {
    const lagMs = this.#lag.count === 0 ? 0 : this.#lag.percentile(99) / 1000;
    this.#lag.reset();
    return lagMs;
  }
}
