/** How a wait ended. */
export type WaitOutcome = 'fired' | 'timeout' | 'aborted';

/**
 * Waits for an event, a deadline or a signal, whichever is first, and leaves no listener behind.
 * `register` gets the function to call on the event and returns the one that takes it back.
 */
export function waitFor(
  register: (fire: () => void) => () => void,
  options: { timeoutMs: number; signals?: readonly (AbortSignal | undefined)[] },
): Promise<WaitOutcome> {
  const signals = options.signals ?? [];
  if (signals.some((signal) => signal?.aborted === true)) return Promise.resolve('aborted');
  return new Promise((resolve) => {
    const settle = (outcome: WaitOutcome) => {
      clearTimeout(timer);
      unregister();
      for (const signal of signals) signal?.removeEventListener('abort', onAbort);
      resolve(outcome);
    };
    const onAbort = () => settle('aborted');
    const timer = setTimeout(() => settle('timeout'), options.timeoutMs);
    for (const signal of signals) signal?.addEventListener('abort', onAbort, { once: true });
    const unregister = register(() => settle('fired'));
  });
}

/** Waits; returns early when a signal aborts. */
export async function pause(timeoutMs: number, signals: readonly (AbortSignal | undefined)[] = []): Promise<void> {
  await waitFor(() => () => {}, { timeoutMs, signals });
}
