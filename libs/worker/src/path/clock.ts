/** Time as the frame path and a session see it; tests pass their own. */
export interface PathClock {
  /** Epoch milliseconds with fractions; comparable between processes of one machine. */
  nowMs(): number;
  /** Calls `run` once after `delayMs`; the answer cancels it. */
  setTimer(run: () => void, delayMs: number): () => void;
}

/** The machine's clock. Timers do not keep a process alive. */
export const systemClock: PathClock = {
  nowMs: () => performance.timeOrigin + performance.now(),
  setTimer: (run, delayMs) => {
    const timer = setTimeout(run, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** Settles as `work` does, or rejects with `late()` after the deadline. What `work` does then is ignored. */
export async function withDeadline<T>(
  work: Promise<T>,
  { clock, deadlineMs, late }: { clock: PathClock; deadlineMs: number; late: () => Error },
): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const cancel = clock.setTimer(() => reject(late()), deadlineMs);
  try {
    return await Promise.race([work, promise]);
  } finally {
    cancel();
  }
}
