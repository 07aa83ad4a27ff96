import type { RelayCounters } from '@runnel/trickle-http';
import type { MetricFacts } from './facts.ts';

/** Requests and connections that a relay turned away, by what stands in the label `reason`. */
const REFUSALS = {
  refusedConnections: 'connection_limit',
  malformed: 'malformed',
  headersTooLarge: 'headers_too_large',
  headerTimeouts: 'header_timeout',
  bodyTimeouts: 'body_timeout',
  idleTimeouts: 'idle',
  stalled: 'stalled',
  unauthorized: 'unauthorized',
  forbidden: 'forbidden',
  tooLarge: 'segment_too_large',
  limited: 'limit',
  full: 'memory',
  notFound: 'not_found',
} as const satisfies Record<Exclude<keyof RelayCounters, 'connections' | 'requests'>, string>;

/** Counters of a relay and their reasons. */
export const REFUSAL_REASONS = Object.entries(REFUSALS) as [keyof typeof REFUSALS, string][];

/** Connections that a relay accepted. */
export const CONNECTIONS_ACCEPTED: MetricFacts = {
  name: 'trickle_connections_total',
  type: 'counter',
  help: 'Connections accepted.',
};

/** Requests for channels. */
export const REQUESTS: MetricFacts = { name: 'trickle_requests_total', type: 'counter', help: 'Requests under the base path.' };

/** What was turned away or given up, and why. */
export const REFUSED: MetricFacts = {
  name: 'trickle_refused_total',
  type: 'counter',
  help: 'Requests refused and connections given up.',
  labels: { reason: Object.values(REFUSALS) },
};

/** Connections now. */
export const CONNECTIONS: MetricFacts = { name: 'trickle_connections', type: 'gauge', help: 'Connections open now.' };

/** How long bytes lie in the relay. */
export const FIRST_BYTE: MetricFacts = {
  name: 'trickle_first_byte_seconds',
  type: 'histogram',
  help: "From a segment's first byte, or the GET if that came later, to the answer's first byte.",
};

/** Upper bounds of the histogram of `FIRST_BYTE`, in seconds. */
export const FIRST_BYTE_BUCKETS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1];
