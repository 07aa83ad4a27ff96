import type { Hub } from '@runnel/trickle-core';
import type { ConnectionBounds } from './bounds.ts';
import type { RelayCounters } from './counters.ts';
import type { Authorizer } from '../capability/authorizer.ts';
import type { ChannelCreation, Shard, Upstream } from './options.ts';

/** What all connections of one relay share. */
export interface RelayContext {
  readonly hub: Hub;
  readonly counters: RelayCounters;
  readonly bounds: ConnectionBounds;
  /** With one slash at both ends. */
  readonly base: string;
  readonly creation: ChannelCreation;
  /** MIME type of a channel whose maker names none. */
  readonly defaultMimeType: string;
  /** Between two `100 Continue` on a POST that waits for its first byte. */
  readonly continueIntervalMs: number;
  /** How long the end of a channel waits for a reader that is behind. */
  readonly endDrainMs: number;
  readonly authorizer: Authorizer | null;
  readonly upstream: Upstream | null;
  readonly shard: Shard | null;
  /** Whether requests outside the base are somebody else's. */
  readonly foreign: boolean;
  readonly onFirstByte: ((ms: number) => void) | null;
}
