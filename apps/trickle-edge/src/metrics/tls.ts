import type { Http2Counters, TlsCounters } from '@runnel/trickle-http';
import type { MetricFacts } from './facts.ts';

/** What became of TLS handshakes, by what stands in the label `result`. */
const RESULTS = {
  resumed: 'resumed',
  failed: 'failed',
  late: 'timeout',
  refused: 'limit',
} as const satisfies Record<Exclude<keyof TlsCounters, 'handshakes'>, string>;

/** Results other than a whole handshake. */
export const HANDSHAKE_RESULTS = Object.entries(RESULTS) as [keyof typeof RESULTS, string][];

/** TLS handshakes. */
export const HANDSHAKES: MetricFacts = {
  name: 'trickle_tls_handshakes_total',
  type: 'counter',
  help: 'TLS handshakes that came to an end; resumed ones took up an earlier session.',
  labels: { result: ['full', ...Object.values(RESULTS)] },
};

/** When the certificate in use ends. */
export const CERTIFICATE_EXPIRY: MetricFacts = {
  name: 'trickle_tls_certificate_expiry_seconds',
  type: 'gauge',
  help: 'Unix time at which the certificate in use expires; 0 without TLS.',
};

/** HTTP/2, by counter. */
export const HTTP2_COUNTERS: Readonly<Record<keyof Http2Counters, MetricFacts>> = {
  connections: { name: 'trickle_http2_connections_total', type: 'counter', help: 'Connections that speak HTTP/2.' },
  streams: { name: 'trickle_http2_streams_total', type: 'counter', help: 'Requests on HTTP/2 connections.' },
  refusedStreams: {
    name: 'trickle_http2_refused_streams_total',
    type: 'counter',
    help: 'Of these, refused because too many were under way.',
  },
  violations: {
    name: 'trickle_http2_violations_total',
    type: 'counter',
    help: 'HTTP/2 connections ended because the peer broke the protocol or sent floods of frames.',
  },
};
