import type { Hub } from '@runnel/trickle-core';
import { type CascadeUpstream, createUpstream, mintToken, parseUpstreams, type SigningKey, staticDirectory } from '@runnel/trickle-http';
import type { TrickleEdgeConfig } from './config.ts';

/** How long a token for an upstream edge lasts, ms. A mirror that lives longer gets another one. */
const TOKEN_MS = 60 * 60_000;

/** What the upstream of an edge is made with. */
export interface EdgeUpstreamOptions {
  config: Pick<TrickleEdgeConfig, 'EDGE_UPSTREAMS' | 'EDGE_UPSTREAM_LINGER_MS' | 'EDGE_ID'>;
  /** The hub of the relay that is made with this upstream. */
  hub: () => Hub;
  /** The newest signing key; null in open mode. */
  key: () => SigningKey | null;
  /** Milliseconds since the epoch. */
  clock: () => number;
}

/**
 * What the relay asks for channels that it does not have; null when the table is empty.
 * @throws RunnelError `invalid_config` for a table that cannot be used.
 */
export function openUpstream({ config, hub, key, clock }: EdgeUpstreamOptions): CascadeUpstream | null {
  const entries = parseUpstreams(config.EDGE_UPSTREAMS);
  if (entries.length === 0) return null;
  // An edge that begins without keys stays without.
  const authorize =
    key() === null
      ? undefined
      : (channel: string) => mintToken({ key: key()!, channel, rights: ['subscribe'], expiresMs: clock() + TOKEN_MS });
  const directory = staticDirectory(entries, { authorize });
  return createUpstream({ hub, directory, edgeId: config.EDGE_ID, lingerMs: config.EDGE_UPSTREAM_LINGER_MS });
}
