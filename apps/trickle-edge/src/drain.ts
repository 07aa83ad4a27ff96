import type { Logger } from '@runnel/service';

/** Between two lines of progress, in milliseconds. */
const PROGRESS_MS = 5000;

/** What has channels and can let them run out. */
export interface Drainable {
  /** Channels now. */
  openChannels(): number;
  /** Makes no new channels; resolves when none is left or at the deadline, with the number left. */
  drain(options: { deadlineMs: number }): Promise<number>;
}

/**
 * Makes no new channels and waits until those that live have ended, at most until the deadline, telling the log how far it is. Resolves
 * with the number of channels left.
 */
export async function drain(plane: Drainable, { deadlineMs, logger }: { deadlineMs: number; logger: Logger }): Promise<number> {
  const startedMs = performance.now();
  const state = () => ({ channels: plane.openChannels(), afterMs: Math.round(performance.now() - startedMs), deadlineMs });
  logger.info(state(), 'draining: no new channels');
  const progress = setInterval(() => logger.info(state(), 'draining'), PROGRESS_MS);
  try {
    const left = await plane.drain({ deadlineMs });
    if (left === 0) logger.info(state(), 'drained: no channel is left');
    else logger.warn({ ...state(), left }, 'channels are ended by the deadline of the drain');
    return left;
  } finally {
    clearInterval(progress);
  }
}
