import { HealthChecks } from '@runnel/service';
import type { Hub } from '@runnel/trickle-core';
import type { LoopDelay } from './event-loop.ts';

/** Share of the memory for segments beyond which the edge asks for no new streams: at the whole of it streams are cut. */
const READY_MEMORY_SHARE = 0.9;
/** Delay of the event loop (p99 over 5 s) beyond which it asks for none, in milliseconds: those that it has already stutter. */
export const READY_LOOP_DELAY_MS = 200;

/** What readiness depends on. */
export interface HealthSources {
  readonly hub: Pick<Hub, 'heldBytes' | 'limits' | 'refusal'>;
  readonly loopDelay: () => LoopDelay;
  readonly isWarm: () => boolean;
}

/** The readiness checks of an edge: whether a balancer should send it new streams. Those that it has go on in any case. */
export function edgeHealth({ hub, loopDelay, isWarm }: HealthSources): HealthChecks {
  const health = new HealthChecks();
  health.add('drain', () => hub.refusal);
  health.add('warm_up', () => (isWarm() ? null : 'the code is being warmed up'));
  health.add('memory', () => {
    const share = hub.heldBytes / hub.limits.hubBytes;
    return share < READY_MEMORY_SHARE ? null : `segments take ${Math.round(share * 100)} % of EDGE_MEMORY_MIB`;
  });
  health.add('event_loop', () => {
    const { p99 } = loopDelay();
    return p99 < READY_LOOP_DELAY_MS ? null : `the event loop is ${Math.round(p99)} ms late`;
  });
  return health;
}
