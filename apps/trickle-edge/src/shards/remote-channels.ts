import type { ChannelStore, StoredChannel } from '../channels/store.ts';
import { shardOf } from './shard-of.ts';
import type { ShardSlot } from './slot.ts';

/** What `ChannelStore` says, on the shards that have the channels. */
export class RemoteChannels implements ChannelStore {
  readonly #slots: readonly Pick<ShardSlot, 'call' | 'url'>[];
  readonly #plainUrl: string;

  /** `plainUrl`: for channels whose shard has no URL of its own; with a slash at its end. */
  constructor({ slots, plainUrl }: { slots: readonly Pick<ShardSlot, 'call' | 'url'>[]; plainUrl: string }) {
    this.#slots = slots;
    this.#plainUrl = plainUrl;
  }

  baseUrl(channel: string): string {
    return this.#slots[this.#shardOf(channel)].url ?? this.#plainUrl;
  }

  async create(channel: StoredChannel): Promise<void> {
    return this.#slots[this.#shardOf(channel.name)].call('create', channel);
  }

  async write(channel: string, bytes: Uint8Array): Promise<number> {
    return this.#slots[this.#shardOf(channel)].call('write', { channel, bytes });
  }

  async end(channels: readonly string[]): Promise<number> {
    const ended = this.#byShard(channels).map(async (names, shard) => {
      if (names.length === 0) return 0;
      // A shard that is gone has taken its channels along; one that hangs is killed soon.
      return this.#slots[shard].call('end', names).catch(() => 0);
    });
    return (await Promise.all(ended)).reduce((sum, count) => sum + count, 0);
  }

  async lastWrites(channels: readonly string[]): Promise<(number | null)[]> {
    const found = new Map<string, number | null>();
    const asked = this.#byShard(channels).map(async (names, shard) => {
      if (names.length === 0) return;
      const times = await this.#slots[shard].call('lastWrites', names);
      for (const [index, name] of names.entries()) found.set(name, times[index]);
    });
    await Promise.all(asked);
    return channels.map((channel) => found.get(channel) ?? null);
  }

  #byShard(channels: readonly string[]): string[][] {
    const names: string[][] = this.#slots.map(() => []);
    for (const channel of channels) names[this.#shardOf(channel)].push(channel);
    return names;
  }

  #shardOf(channel: string): number {
    return shardOf(channel, this.#slots.length);
  }
}
