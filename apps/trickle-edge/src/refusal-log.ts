import type { Logger } from '@runnel/service';
import type { RelayCounters } from '@runnel/trickle-http';
import { REFUSAL_REASONS } from './metrics/relay.ts';

/** Between two lines, in milliseconds: a flood of refused requests is not to become one of log lines. */
const INTERVAL_MS = 5000;

/**
 * Writes at level debug how many requests were refused since the last line, by reason: never which, as their paths hold tokens and
 * names. Returns what writes the last line and ends it.
 */
export function logRefusals(logger: Logger, counters: Readonly<RelayCounters>, { intervalMs = INTERVAL_MS } = {}): () => void {
  let before = { ...counters };
  const write = () => {
    const refused = Object.fromEntries(
      REFUSAL_REASONS.flatMap(([key, reason]) => (counters[key] > before[key] ? [[reason, counters[key] - before[key]]] : [])),
    );
    before = { ...counters };
    if (Object.keys(refused).length > 0) logger.debug({ refused }, 'requests refused');
  };
  const timer = setInterval(write, intervalMs);
  timer.unref();
  return () => {
    clearInterval(timer);
    write();
  };
}
