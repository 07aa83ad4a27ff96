import { RunnelError } from '@runnel/errors';

/**
 * What a promise gives, unless a deadline or a signal comes first.
 * @throws RunnelError `deadline_exceeded`; the signal's reason.
 */
export async function within<T>(work: Promise<T>, options: { timeoutMs: number; signal: AbortSignal; what: string }): Promise<T> {
  const { timeoutMs, signal, what } = options;
  signal.throwIfAborted();
  const { promise: over, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason as Error);
  const timer = setTimeout(() => {
    reject(new RunnelError('deadline_exceeded', { message: `${what} took longer than ${Math.round(timeoutMs)} ms.` }));
  }, timeoutMs);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, over]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}
