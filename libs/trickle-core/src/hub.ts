import { RunnelError } from '@runnel/errors';
import { Channel } from './channel.ts';
import type { ChannelOptions } from './channel-contract.ts';
import { createCounters } from './counters.ts';
import { DEFAULT_LIMITS, type TrickleLimits } from './limits.ts';
import { Listeners } from './listeners.ts';

/** A change of the set of channels. */
export interface HubChange {
  readonly kind: 'added' | 'removed';
  readonly channel: Channel;
}

/** What a hub is made with. */
export interface HubOptions {
  /** Milliseconds, the same epoch in every call; never goes back in good order, and does no harm when it does. */
  readonly clock: () => number;
  readonly limits?: Partial<TrickleLimits>;
}

/** All channels of one relay. Pure: whoever owns it calls `sweep` every quarter of a second or so. */
export class Hub {
  readonly limits: TrickleLimits;
  readonly clock: () => number;
  readonly counters = createCounters();
  /** Memory that all segments are counted with; at most `limits.hubBytes`. Kept by the channels. */
  heldBytes = 0;
  readonly #channels = new Map<string, Channel>();
  readonly #changes = new Listeners<[HubChange]>();
  #refusal: string | null = null;

  constructor(options: HubOptions) {
    this.limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.clock = options.clock;
    if (this.limits.segmentBytes > this.limits.windowBytes) {
      throw new RunnelError('invalid_config', { message: 'The largest segment must fit into the window: segmentBytes <= windowBytes.' });
    }
  }

  /** Channels that are alive, in order of creation. */
  get channels(): IterableIterator<Channel> {
    return this.#channels.values();
  }

  /** Number of channels. */
  get size(): number {
    return this.#channels.size;
  }

  /** The channel of that name; undefined when there is none or it has ended and is gone. */
  get(name: string): Channel | undefined {
    return this.#channels.get(name);
  }

  /** Makes no new channels from now on; those that are there go on. The sentence tells whoever asks why. */
  refuseNew(reason: string): void {
    this.#refusal = reason;
  }

  /** Why no new channels are made; null while they are. */
  get refusal(): string | null {
    return this.#refusal;
  }

  /** @throws RunnelError `channel_exists`, `limit_exceeded`, `shutting_down` after `refuseNew`. */
  create(options: ChannelOptions): Channel {
    if (this.#refusal !== null) throw new RunnelError('shutting_down', { message: this.#refusal });
    if (this.#channels.has(options.name)) throw new RunnelError('channel_exists', { message: 'A channel of this name exists already.' });
    if (this.#channels.size >= this.limits.maxChannels) {
      throw new RunnelError('limit_exceeded', { message: `The relay has ${this.limits.maxChannels} channels already.` });
    }
    const channel = new Channel(options, this);
    this.#channels.set(options.name, channel);
    this.counters.channelsCreated += 1;
    channel.onEnd(() => {
      this.#channels.delete(options.name);
      this.counters.channelsEnded += 1;
      this.#changes.notify({ kind: 'removed', channel });
    });
    this.#changes.notify({ kind: 'added', channel });
    return channel;
  }

  /** Ends a channel: see `Channel.end`. False when there is none of this name. */
  end(name: string, options: { drainMs?: number } = {}): boolean {
    const channel = this.#channels.get(name);
    channel?.end(options);
    return channel !== undefined;
  }

  /** Ends every channel at once. */
  endAll(): void {
    for (const channel of this.#channels.values()) channel.end();
  }

  /** Lets go of what time alone ends, in every channel. */
  sweep(nowMs: number): void {
    for (const channel of this.#channels.values()) channel.sweep(nowMs);
  }

  /** Calls the listener when a channel was made or has ended. */
  onChange(listener: (change: HubChange) => void): () => void {
    return this.#changes.add(listener);
  }
}

/** Makes a hub with the default limits and those given. @throws RunnelError `invalid_config`. */
export function createHub(options: HubOptions): Hub {
  return new Hub(options);
}
