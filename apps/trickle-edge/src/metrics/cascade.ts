import type { CascadeCounters } from '@runnel/trickle-http';
import type { MetricFacts } from './facts.ts';

/** The metric of each counter of the cascade. */
export const CASCADE_COUNTERS: Readonly<Record<keyof CascadeCounters, MetricFacts>> = {
  opened: counter('trickle_mirrors_opened_total', 'Channels of other edges that were mirrored here.'),
  notFound: counter('trickle_upstream_not_found_total', 'Channels that no upstream edge has.'),
  remembered: counter('trickle_upstream_remembered_total', 'Requests answered from the memory of a question upstream a moment ago.'),
  loops: counter('trickle_upstream_loops_total', 'Requests refused because they came through this edge before, or through too many.'),
  failures: counter('trickle_upstream_failures_total', 'Attempts at an upstream edge that failed.'),
  reconnects: counter('trickle_upstream_reconnects_total', 'Mirrors that went on after their upstream edge had been lost.'),
  lost: counter('trickle_mirrors_lost_total', 'Mirrors that ended because their upstream edge stayed away.'),
  gaps: counter('trickle_mirror_gaps_total', 'Holes in what mirrors received.'),
  cuts: counter('trickle_mirror_cuts_total', 'Segments that mirrors received in part.'),
};

/** Mirrors now. */
export const MIRRORS: MetricFacts = { name: 'trickle_mirrors', type: 'gauge', help: 'Channels of other edges mirrored here now.' };

function counter(name: string, help: string): MetricFacts {
  return { name, type: 'counter', help };
}
