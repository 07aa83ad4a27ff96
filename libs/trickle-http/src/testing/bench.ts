import type { Channel } from '@runnel/trickle-core';
import { createRelay, type Relay, type RelayOptions } from '../index.ts';
import { Wire } from './wire.ts';

/** A relay with one channel `c`, and connections to it, for the length of one test. */
export class WireBench {
  readonly relay: Relay;
  readonly #wires: Wire[] = [];
  #url = '';

  constructor(options: RelayOptions = {}) {
    this.relay = createRelay(options);
  }

  /** Listens; returns the channel. */
  async start(): Promise<Channel> {
    this.#url = (await this.relay.listen({ host: '127.0.0.1', port: 0 })).url;
    return this.relay.hub.create({ name: 'c', mimeType: 'video/MP2T' });
  }

  /** URL of channel `c`. */
  get channelUrl(): string {
    return `${this.#url}c`;
  }

  get channel(): Channel {
    return this.relay.hub.get('c')!;
  }

  async wire(): Promise<Wire> {
    const wire = await Wire.to(this.#url);
    this.#wires.push(wire);
    return wire;
  }

  /** A connection with a GET under way, after the relay has attached its reader. */
  async get(target: number | string): Promise<Wire> {
    const { channel } = this;
    const before = channel.readers;
    const wire = await this.wire();
    wire.request('GET', `/trickle/c/${target}`);
    await eventually(() => channel.readers > before || wire.text !== '');
    return wire;
  }

  /** A connection with a POST under way that has sent no byte, after the relay has attached its writer. */
  async post(seq: number, headers = ''): Promise<Wire> {
    const { channel } = this;
    const before = channel.writers;
    const wire = await this.wire();
    wire.post(`/trickle/c/${seq}`, headers);
    await eventually(() => channel.writers > before || wire.text !== '');
    return wire;
  }

  /** Publishes one whole segment. */
  async put(seq: number, body: string): Promise<Awaited<ReturnType<Wire['answer']>>> {
    const wire = await this.wire();
    wire.post(`/trickle/c/${seq}`);
    wire.chunk(body);
    wire.endBody();
    return wire.answer();
  }

  /** One request, one answer. */
  async ask(method: string, path: string, headers = ''): Promise<Awaited<ReturnType<Wire['answer']>>> {
    const wire = await this.wire();
    wire.request(method, path, headers);
    return wire.answer();
  }

  async close(): Promise<void> {
    for (const wire of this.#wires) wire.close();
    await this.relay.close();
  }
}

/** Waits until a condition holds that nothing tells of. */
export async function eventually(condition: () => boolean): Promise<void> {
  for (let turn = 0; !condition(); turn += 1) {
    if (turn > 4000) throw new Error(`still not so: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
