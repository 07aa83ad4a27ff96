import { RunnelError } from '@runnel/errors';

/** Waits for a promise, but not longer than the deadline. @throws RunnelError `deadline_exceeded` with the given sentence. */
export async function within<T>(promise: Promise<T>, deadlineMs: number, message: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new RunnelError('deadline_exceeded', { message })), deadlineMs);
  });
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    clearTimeout(timer);
  }
}
