/** What a channel of the edge's own is made with. It lives until it is ended, however quiet it is. */
export interface StoredChannel {
  readonly name: string;
  readonly mimeType: string;
}

/**
 * The channels that an edge makes itself, wherever they live: in this process, or in a shard. Calls for one channel take effect in the order in
 * which they are made.
 */
export interface ChannelStore {
  /** Base URL, with a slash at its end, under which clients are told to find a channel. */
  baseUrl(channel: string): string;
  /** @throws RunnelError `channel_exists`, `limit_exceeded`, `shutting_down`; of a shard also `no_responder`, `overloaded`, `deadline_exceeded`. */
  create(channel: StoredChannel): Promise<void>;
  /**
   * Writes one whole segment and gives its number.
   * @throws RunnelError `channel_closed`, `payload_too_large`, `storage_full`, `limit_exceeded`; of a shard also what `create` throws.
   */
  write(channel: string, bytes: Uint8Array): Promise<number>;
  /** Ends channels and gives the number of those that were there. What a shard has taken along has ended. Never rejects. */
  end(channels: readonly string[]): Promise<number>;
  /** Epoch ms of the latest write of each channel, in the same order; null for one that is not there. @throws as `create`, of a shard only. */
  lastWrites(channels: readonly string[]): Promise<(number | null)[]>;
}
