import { collectLessOften } from './collector.ts';
import { startTrickleEdge, type TrickleEdge, type TrickleEdgeOptions } from './start.ts';

/** What an edge that runs until it is told to stop is given. */
export interface RunOptions extends Omit<TrickleEdgeOptions, 'warmUpMs'> {
  /** Aborts when the edge is to stop. */
  readonly signal: AbortSignal;
  /** Called once it listens. */
  readonly onListening?: (edge: TrickleEdge) => void;
}

/**
 * Runs an edge until the signal aborts, drains it, then closes it.
 * @throws RunnelError `port_in_use`, `invalid_config`.
 */
export async function runTrickleEdge({ signal, onListening, ...options }: RunOptions): Promise<void> {
  const { config } = options;
  collectLessOften();
  const edge = await startTrickleEdge({ ...options, warmUpMs: config.EDGE_WARM_UP_MS });
  try {
    onListening?.(edge);
    await aborted(signal);
    await edge.drain({ deadlineMs: config.EDGE_DRAIN_MS });
  } finally {
    await edge.close();
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
