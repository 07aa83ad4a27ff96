import { RunnelError } from '@runnel/errors';
import type { ChannelUrls, ClientUrls, EdgeUrls } from '@runnel/schemas';
import { channelUrl, mintToken, type Right, type SigningKey } from '@runnel/trickle-http';
import type { ChannelStore } from './channels/store.ts';

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
  /** Name of each channel. */
  readonly names: Record<Kind, string>;
  /** Epoch ms at which it is ended because its URLs are about to expire; null when they do not. */
  readonly endsMs: number | null;
  /** Epoch ms of the latest write to any of them, as far as it is known. */
  lastWriteMs: number;
}

/** Why the sweep has ended a session: nobody wrote to it, or it has lasted as long as a session may. */
export type SweepReason = 'idle' | 'expired';

/** What the channels of all sessions are made with. */
export interface SessionChannelsOptions {
  store: ChannelStore;
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
  /** Sessions whose channels are being made. */
  readonly #making = new Map<string, Promise<SessionSet>>();
  /** How often channels were lost. */
  #losses = 0;

  constructor(options: SessionChannelsOptions) {
    this.#options = options;
  }

  /** Sessions that have channels here. */
  get size(): number {
    return this.#sessions.size;
  }

  /**
   * Makes the channels of a session, or tells those that it has; then the URLs may be signed anew, and expire when they would have.
   * @throws RunnelError what `ChannelStore.create` throws; then none is made.
   */
  async create(sessionId: string): Promise<EdgeUrls> {
    const { names, endsMs } = this.#sessions.get(sessionId) ?? (await this.#made(sessionId));
    const sign = (kind: Kind, rights: readonly Right[]) => this.#url({ channel: names[kind], rights, endsMs });
    return {
      client: mapKeys(CLIENT_RIGHTS, (kind, rights) => sign(kind, rights)),
      worker: mapKeys(WORKER_RIGHTS, (kind, rights) => sign(kind, rights)),
    };
  }

  /**
   * Writes a JSON document as one segment of the control channel and returns its number.
   * @throws RunnelError `session_not_found`, what `ChannelStore.write` throws.
   */
  async control(sessionId: string, body: unknown): Promise<number> {
    const session = this.#sessions.get(sessionId);
    if (session === undefined)
      throw new RunnelError('session_not_found', { message: `Session ${sessionId} has no channels at this edge.` });
    return this.#options.store.write(session.names.control, new TextEncoder().encode(JSON.stringify(body)));
  }

  /** Ends the channels of a session; returns how many were still open. Idempotent. */
  async close(sessionId: string): Promise<number> {
    // Whoever closes it while it is made means what is made.
    await this.#making.get(sessionId)?.catch(() => {});
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return 0;
    this.#sessions.delete(sessionId);
    return this.#options.store.end(Object.values(session.names));
  }

  /**
   * Ends the sessions that nobody writes to, so that a broker that was lost leaves nothing behind, and those that have lasted as long as they may, so
   * that their streams end in order and not by a URL that has expired.
   * @throws RunnelError what `ChannelStore.lastWrites` throws; then none is ended.
   */
  async sweep(nowMs: number): Promise<{ sessionId: string; reason: SweepReason }[]> {
    const isQuiet = ({ lastWriteMs }: SessionSet) => nowMs - lastWriteMs > this.#options.idleMs;
    await this.#askLastWrites([...this.#sessions.values()].filter(isQuiet));
    const swept: { sessionId: string; reason: SweepReason }[] = [];
    for (const [sessionId, session] of this.#sessions) {
      if (isQuiet(session)) swept.push({ sessionId, reason: 'idle' });
      else if (session.endsMs !== null && nowMs >= session.endsMs) swept.push({ sessionId, reason: 'expired' });
    }
    await Promise.all(swept.map(({ sessionId }) => this.close(sessionId)));
    return swept;
  }

  /** Ends the sessions that have lost a channel: their other channels tell everybody who uses them. Returns these sessions. */
  async lose(isLost: (channel: string) => boolean): Promise<string[]> {
    this.#losses += 1;
    const lost = [...this.#sessions].filter(([, { names }]) => Object.values(names).some(isLost)).map(([sessionId]) => sessionId);
    await Promise.all(lost.map((sessionId) => this.close(sessionId)));
    return lost;
  }

  #made(sessionId: string): Promise<SessionSet> {
    const underWay = this.#making.get(sessionId);
    if (underWay !== undefined) return underWay;
    const making = this.#make(sessionId).finally(() => this.#making.delete(sessionId));
    this.#making.set(sessionId, making);
    return making;
  }

  async #make(sessionId: string): Promise<SessionSet> {
    const { store, secret, clock, key, ttlMs } = this.#options;
    const losses = this.#losses;
    const names = mapKeys(MIME_TYPES, (kind) => `${PREFIXES[kind]}-${secret()}`);
    const kinds = Object.keys(names) as Kind[];
    const made = await Promise.allSettled(kinds.map((kind) => store.create({ name: names[kind], mimeType: MIME_TYPES[kind] })));
    const failed = made.find((result) => result.status === 'rejected');
    if (failed !== undefined || losses !== this.#losses) {
      await store.end(Object.values(names));
      throw failed?.reason ?? new RunnelError('no_responder', { message: 'A part of the edge was lost while the channels were made.' });
    }
    const nowMs = clock();
    const session = { names, endsMs: key() === null ? null : nowMs + ttlMs, lastWriteMs: nowMs };
    this.#sessions.set(sessionId, session);
    return session;
  }

  async #askLastWrites(sessions: readonly SessionSet[]): Promise<void> {
    if (sessions.length === 0) return;
    const times = await this.#options.store.lastWrites(sessions.flatMap(({ names }) => Object.values(names)));
    const kinds = Object.keys(MIME_TYPES).length;
    for (const [index, session] of sessions.entries()) {
      for (const time of times.slice(index * kinds, (index + 1) * kinds)) session.lastWriteMs = Math.max(session.lastWriteMs, time ?? 0);
    }
  }

  #url({ channel, rights, endsMs }: { channel: string; rights: readonly Right[]; endsMs: number | null }): string {
    const key = this.#options.key();
    const token = key === null || endsMs === null ? null : mintToken({ key, channel, rights, expiresMs: endsMs + EXPIRY_MARGIN_MS });
    return channelUrl({ base: this.#options.store.baseUrl(channel), channel, token });
  }
}

/** The same keys with other values. */
function mapKeys<K extends string, V, T>(table: Readonly<Record<K, V>>, make: (key: K, value: V) => T): Record<K, T> {
  return Object.fromEntries(Object.entries<V>(table).map(([key, value]) => [key, make(key as K, value)])) as Record<K, T>;
}
