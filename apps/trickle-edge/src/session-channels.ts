import { RunnelError } from '@runnel/errors';
import { type Channel, type Hub, NEXT } from '@runnel/trickle-core';
import type { ChannelUrls } from '@runnel/schemas';

/** MIME type of each channel of a session. */
const MIME_TYPES = {
  videoIn: 'video/MP2T',
  videoOut: 'video/MP2T',
  control: 'application/json',
  events: 'application/json',
  data: 'application/jsonl',
} as const satisfies Record<keyof ChannelUrls, string>;

/** How the name of each channel begins, for people who read a URL. */
const PREFIXES = {
  videoIn: 'video-in',
  videoOut: 'video-out',
  control: 'control',
  events: 'events',
  data: 'data',
} as const satisfies Record<keyof ChannelUrls, string>;

type Kind = keyof ChannelUrls;
const KINDS = Object.keys(MIME_TYPES) as Kind[];

type SessionSet = Record<Kind, Channel>;

/** What the channels of all sessions are made with. */
export interface SessionChannelsOptions {
  hub: Hub;
  /** Base URL that ends with a slash. */
  baseUrl: string;
  /** A session whose channels all are without a write for this long is ended, ms. */
  idleMs: number;
  /** An unguessable string of URL-safe characters, another one each time: whoever knows a channel's name may use the channel. */
  secret: () => string;
}

/** The channels that sessions have at this edge. They live as long as their session, however quiet one of them is. */
export class SessionChannels {
  readonly #options: SessionChannelsOptions;
  readonly #sessions = new Map<string, SessionSet>();

  constructor(options: SessionChannelsOptions) {
    this.#options = options;
  }

  /** Sessions that have channels here. */
  get size(): number {
    return this.#sessions.size;
  }

  /** Makes the channels of a session, or tells those that it has. @throws RunnelError `limit_exceeded`; then none is made. */
  create(sessionId: string): ChannelUrls {
    let channels = this.#sessions.get(sessionId);
    if (channels === undefined) {
      channels = this.#make();
      this.#sessions.set(sessionId, channels);
    }
    return mapKinds((kind) => this.#options.baseUrl + channels[kind].name);
  }

  /**
   * Writes a JSON document as one segment of the control channel and returns its number.
   * @throws RunnelError `session_not_found`, `channel_closed`.
   */
  control(sessionId: string, body: unknown): number {
    const channels = this.#sessions.get(sessionId);
    if (channels === undefined)
      throw new RunnelError('session_not_found', { message: `Session ${sessionId} has no channels at this edge.` });
    const writer = channels.control.write(NEXT);
    writer.write(new TextEncoder().encode(JSON.stringify(body)));
    return writer.end().seq;
  }

  /** Ends the channels of a session; returns how many were still open. Idempotent. */
  close(sessionId: string): number {
    const channels = this.#sessions.get(sessionId);
    if (channels === undefined) return 0;
    this.#sessions.delete(sessionId);
    const open = KINDS.filter((kind) => !channels[kind].ended);
    for (const kind of open) channels[kind].end();
    return open.length;
  }

  /** Ends the sessions that nobody writes to, so that a broker that was lost leaves nothing behind. Returns their ids. */
  sweep(nowMs: number): string[] {
    const isIdle = (channels: SessionSet) => KINDS.every((kind) => nowMs - channels[kind].lastWriteMs > this.#options.idleMs);
    const idle = [...this.#sessions].filter(([, channels]) => isIdle(channels)).map(([sessionId]) => sessionId);
    for (const sessionId of idle) this.close(sessionId);
    return idle;
  }

  #make(): SessionSet {
    const made: Channel[] = [];
    try {
      return mapKinds((kind) => {
        const name = `${PREFIXES[kind]}-${this.#options.secret()}`;
        const channel = this.#options.hub.create({ name, mimeType: MIME_TYPES[kind], idleMs: null });
        made.push(channel);
        return channel;
      });
    } catch (error) {
      for (const channel of made) channel.end();
      throw error;
    }
  }
}

function mapKinds<T>(make: (kind: Kind) => T): Record<Kind, T> {
  return Object.fromEntries(KINDS.map((kind) => [kind, make(kind)])) as Record<Kind, T>;
}
