import { RunnelError } from '@runnel/errors';

const EXPIRED = Symbol('expired');

/** Waits for work, and leaves no timer behind. Gives `EXPIRED` when the deadline comes first; the work goes on unobserved then. */
async function race<T>(work: Promise<T>, deadlineMs: number): Promise<T | typeof EXPIRED> {
  const { promise: expired, resolve } = Promise.withResolvers<typeof EXPIRED>();
  const timer = setTimeout(() => resolve(EXPIRED), deadlineMs);
  try {
    return await Promise.race([work, expired]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits for work, but not longer than the deadline: whether it ended in time. Rejects as the work does. */
export async function endsWithin(work: Promise<unknown>, deadlineMs: number): Promise<boolean> {
  return (await race(work, deadlineMs)) !== EXPIRED;
}

/** The result of work that is there before the deadline. @throws RunnelError `deadline_exceeded` with the given sentence. */
export async function within<T>(work: Promise<T>, deadlineMs: number, message: string): Promise<T> {
  const result = await race(work, deadlineMs);
  if (result === EXPIRED) throw new RunnelError('deadline_exceeded', { message });
  return result;
}
