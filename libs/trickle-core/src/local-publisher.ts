import { RunnelError } from '@runnel/errors';
import type { Channel } from './channel.ts';
import type { Hub } from './hub.ts';
import type { Publisher, SegmentWriter } from './port.ts';
import type { ChannelWriter } from './writer.ts';

/** Publishes to a channel of a hub in the same process, from its next write on. */
export function localPublisher(hub: Hub, channelName: string): Publisher {
  return new LocalPublisher(hub, channelName);
}

class LocalPublisher implements Publisher {
  readonly #hub: Hub;
  readonly #name: string;
  #channel: Channel | undefined;
  #writer: ChannelWriter | null = null;
  #seq = 0;
  #closed = false;

  constructor(hub: Hub, name: string) {
    this.#hub = hub;
    this.#name = name;
  }

  async open(): Promise<SegmentWriter> {
    if (this.#closed) throw new RunnelError('channel_closed', { message: 'The publisher is closed.' });
    if (this.#writer !== null) throw new RunnelError('invalid_request', { message: `Segment ${this.#writer.seq} is still open.` });
    if (this.#channel === undefined) {
      this.#channel = this.#hub.get(this.#name);
      if (this.#channel === undefined) throw new RunnelError('channel_not_found', { message: 'There is no such channel.' });
    }
    const seq = Math.max(this.#seq, this.#channel.nextWrite);
    const writer = this.#channel.write(seq);
    this.#writer = writer;
    this.#seq = seq + 1;
    return {
      seq,
      write: async (bytes) => writer.write(bytes),
      end: async () => {
        this.#writer = null;
        writer.end();
      },
      abort: async () => {
        this.#writer = null;
        // There is nothing to cut, and a number that is left open would keep its subscribers waiting.
        if (writer.bytes === 0) writer.end();
        else writer.abort();
      },
    };
  }

  async close(options: { endChannel?: boolean } = {}): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#writer?.abort();
    if (options.endChannel === true) this.#hub.get(this.#name)?.end();
  }
}
