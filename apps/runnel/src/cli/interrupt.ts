/**
 * Turns SIGINT and SIGTERM into an AbortSignal while `work` runs, so that a command can finish its file and its children in
 * order. A second signal ends the process at once.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  try {
    return await work(controller.signal);
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
}

/** Exit code of a command that was interrupted and put everything in order (128 + SIGINT). */
export const INTERRUPTED_EXIT_CODE = 130;
