import { RunnelError } from '@runnel/errors';
import { type Channel, type Hub, NEXT } from '@runnel/trickle-core';
import type { ChannelUrls, ClientUrls, EdgeUrls } from '@runnel/schemas';
import { channelUrl, mintToken, type Right, type SigningKey } from '@runnel/trickle-http';

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

/** A publisher ends its channel when it is done, as unmodified clients do. */
const WRITE: readonly Right[] = ['publish', 'manage'];
const READ: readonly Right[] = ['subscribe'];

/** What the client of a session does with its channels, and no more. */
const CLIENT_RIGHTS = { videoIn: WRITE, videoOut: READ, events: READ, data: READ } as const satisfies Record<keyof ClientUrls, unknown>;

/** What the worker of a session does with its channels, and no more. Control is written on the bus. */
const WORKER_RIGHTS = {
  videoIn: READ,
  control: READ,
  videoOut: WRITE,
  events: WRITE,
  data: WRITE,
} as const satisfies Record<keyof ChannelUrls, unknown>;

/** URLs outlive their session by this much: its last readers still drain the window then, and clocks may differ. */
const EXPIRY_MARGIN_MS = 5 * 60_000;

type Kind = keyof ChannelUrls;

/** The channels of one session. */
interface SessionSet {
  readonly channels: Record<Kind, Channel>;
  /** Epoch ms at which it is ended because its URLs are about to expire; null when they do not. */
  readonly endsMs: number | null;
}

/** Why the sweep has ended a session: nobody wrote to it, or it has lasted as long as a session may. */
export type SweepReason = 'idle' | 'expired';

/** What the channels of all sessions are made with. */
export interface SessionChannelsOptions {
  hub: Hub;
  /** Base URL that ends with a slash. */
  baseUrl: string;
  /** A session whose channels all are without a write for this long is ended, ms. */
  idleMs: number;
  /** An unguessable string of URL-safe characters, another one each time: in open mode whoever knows a channel's name may use the channel. */
  secret: () => string;
  /** Milliseconds since the epoch. */
  clock: () => number;
  /** The key that URLs are signed with, the newest one, each time anew; null: open mode. */
  key: () => SigningKey | null;
  /** How long a session with signed URLs lasts at most, ms. */
  ttlMs: number;
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

  /**
   * Makes the channels of a session, or tells those that it has; then the URLs may be signed anew, and expire when they would have.
   * @throws RunnelError `limit_exceeded`; then none is made.
   */
  create(sessionId: string): EdgeUrls {
    const { key, clock, ttlMs } = this.#options;
    let session = this.#sessions.get(sessionId);
    if (session === undefined) {
      session = { channels: this.#make(), endsMs: key() === null ? null : clock() + ttlMs };
      this.#sessions.set(sessionId, session);
    }
    const { channels, endsMs } = session;
    const sign = (kind: Kind, rights: readonly Right[]) => this.#url({ channel: channels[kind].name, rights, endsMs });
    return {
      client: mapKeys(CLIENT_RIGHTS, (kind, rights) => sign(kind, rights)),
      worker: mapKeys(WORKER_RIGHTS, (kind, rights) => sign(kind, rights)),
    };
  }

  /**
   * Writes a JSON document as one segment of the control channel and returns its number.
   * @throws RunnelError `session_not_found`, `channel_closed`.
   */
  control(sessionId: string, body: unknown): number {
    const session = this.#sessions.get(sessionId);
    if (session === undefined)
      throw new RunnelError('session_not_found', { message: `Session ${sessionId} has no channels at this edge.` });
    const writer = session.channels.control.write(NEXT);
    writer.write(new TextEncoder().encode(JSON.stringify(body)));
    return writer.end().seq;
  }

  /** Ends the channels of a session; returns how many were still open. Idempotent. */
  close(sessionId: string): number {
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return 0;
    this.#sessions.delete(sessionId);
    const open = Object.values(session.channels).filter(({ ended }) => !ended);
    for (const channel of open) channel.end();
    return open.length;
  }

  /**
   * Ends the sessions that nobody writes to, so that a broker that was lost leaves nothing behind, and those that have lasted as long as they may, so
   * that their streams end in order and not by a URL that has expired.
   */
  sweep(nowMs: number): { sessionId: string; reason: SweepReason }[] {
    const swept: { sessionId: string; reason: SweepReason }[] = [];
    for (const [sessionId, { channels, endsMs }] of this.#sessions) {
      const idle = Object.values(channels).every(({ lastWriteMs }) => nowMs - lastWriteMs > this.#options.idleMs);
      if (idle) swept.push({ sessionId, reason: 'idle' });
      else if (endsMs !== null && nowMs >= endsMs) swept.push({ sessionId, reason: 'expired' });
    }
    for (const { sessionId } of swept) this.close(sessionId);
    return swept;
  }

  #url({ channel, rights, endsMs }: { channel: string; rights: readonly Right[]; endsMs: number | null }): string {
    const key = this.#options.key();
    const token = key === null || endsMs === null ? null : mintToken({ key, channel, rights, expiresMs: endsMs + EXPIRY_MARGIN_MS });
    return channelUrl({ base: this.#options.baseUrl, channel, token });
  }

  #make(): Record<Kind, Channel> {
    const made: Channel[] = [];
    try {
      return mapKeys(MIME_TYPES, (kind, mimeType) => {
        const name = `${PREFIXES[kind]}-${this.#options.secret()}`;
        const channel = this.#options.hub.create({ name, mimeType, idleMs: null });
        made.push(channel);
        return channel;
      });
    } catch (error) {
      for (const channel of made) channel.end();
      throw error;
    }
  }
}

/** The same keys with other values. */
function mapKeys<K extends string, V, T>(table: Readonly<Record<K, V>>, make: (key: K, value: V) => T): Record<K, T> {
  return Object.fromEntries(Object.entries<V>(table).map(([key, value]) => [key, make(key as K, value)])) as Record<K, T>;
}
