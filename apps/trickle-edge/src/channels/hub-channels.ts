import { RunnelError } from '@runnel/errors';
import { type Hub, NEXT } from '@runnel/trickle-core';
import type { ChannelStore, StoredChannel } from './store.ts';

/** What `ChannelStore` says, on a hub in this process. */
export class HubChannels implements ChannelStore {
  readonly #hub: Hub;
  readonly #baseUrl: string;

  constructor({ hub, baseUrl }: { hub: Hub; baseUrl: string }) {
    this.#hub = hub;
    this.#baseUrl = baseUrl;
  }

  baseUrl(): string {
    return this.#baseUrl;
  }

  async create({ name, mimeType }: StoredChannel): Promise<void> {
    this.#hub.create({ name, mimeType, idleMs: null });
  }

  async write(name: string, bytes: Uint8Array): Promise<number> {
    const channel = this.#hub.get(name);
    if (channel === undefined) throw new RunnelError('channel_closed', { message: 'The channel has ended.' });
    const writer = channel.write(NEXT);
    writer.write(bytes);
    return writer.end().seq;
  }

  async end(names: readonly string[]): Promise<number> {
    let ended = 0;
    for (const name of names) if (this.#hub.end(name)) ended += 1;
    return ended;
  }

  async lastWrites(names: readonly string[]): Promise<(number | null)[]> {
    return names.map((name) => this.#hub.get(name)?.lastWriteMs ?? null);
  }
}
