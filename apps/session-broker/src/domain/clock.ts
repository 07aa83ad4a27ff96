/** Time as the broker's logic sees it, so that tests can move it by hand. */
export interface Clock {
  /** Epoch milliseconds. */
  nowMs(): number;
  /** Calls `tick` again and again until the returned function is called. */
  every(intervalMs: number, tick: () => void): () => void;
}

/** The real time. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  every: (intervalMs, tick) => {
    const timer = setInterval(tick, intervalMs);
    return () => clearInterval(timer);
  },
};
