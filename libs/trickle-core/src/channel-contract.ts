import type { HubCounters } from './counters.ts';
import type { TrickleLimits } from './limits.ts';
import type { SegmentReader } from './reader.ts';

/** What a channel is made with. */
export interface ChannelOptions {
  readonly name: string;
  /** MIME type of its segments. */
  readonly mimeType: string;
  /** Shown in its metadata as they are. */
  readonly params?: Readonly<Record<string, unknown>>;
  /** Overrides the hub's idle time; null: never ended by the sweep. */
  readonly idleMs?: number | null;
  /** Lowest sequence number that it will have; 0 if absent. A mirror of a channel elsewhere begins in the middle. */
  readonly firstSeq?: number;
  /** Only its maker writes to it: who comes over the network may not. */
  readonly readOnly?: boolean;
}

/** What a channel needs of its hub. */
export interface ChannelHub {
  readonly limits: TrickleLimits;
  readonly clock: () => number;
  readonly counters: HubCounters;
  /** Memory that all segments are counted with. */
  heldBytes: number;
}

/** Answer to a read: a position in a segment; or the segment is not in the window; or the channel has ended. */
export type ReadAnswer =
  | { readonly kind: 'reader'; readonly reader: SegmentReader }
  | { readonly kind: 'gone'; readonly seq: number; readonly latest: number }
  | { readonly kind: 'ended'; readonly seq: number; readonly latest: number };
