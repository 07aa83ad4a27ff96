import type { LoopDelay } from '../event-loop.ts';
import type { MetricFacts } from './facts.ts';

/** What the label `quantile` may say. */
export const LOOP_QUANTILES: readonly (keyof LoopDelay)[] = ['p50', 'p99', 'max'];

/** How late the event loop is. */
export const LOOP_DELAY: MetricFacts = {
  name: 'trickle_event_loop_delay_seconds',
  type: 'gauge',
  help: 'How late timers fire, over the last 5 s: time in which nothing is relayed.',
  labels: { quantile: LOOP_QUANTILES },
};

/** Whether the edge takes new channels. */
export const DRAINING: MetricFacts = { name: 'trickle_draining', type: 'gauge', help: '1 while the edge makes no new channels, else 0.' };
