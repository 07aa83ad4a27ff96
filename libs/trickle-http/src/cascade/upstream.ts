import { RunnelError } from '@runnel/errors';
import type { Channel, Hub } from '@runnel/trickle-core';
import { flat } from '../flat.ts';
import type { Upstream } from '../relay/options.ts';
import { isChannelName } from '../relay/path.ts';
import { BriefMemory } from './brief-memory.ts';
import { type CascadeCounters, createCascadeCounters } from './counters.ts';
import type { OwnerDirectory } from './directory.ts';
import { firstSegment } from './first-segment.ts';
import { Mirror, type MirrorTimes } from './mirror.ts';
import { OriginBackoff } from './origin-backoff.ts';
import { type Position, startOf } from './position.ts';
import { RemoteChannel } from './remote-channel.ts';
import { extendVia, randomEdgeId } from './via.ts';
import { within } from './within.ts';

/** Settings of an upstream. Times in ms. */
export interface UpstreamOptions {
  /** Where the mirrors stand. A function, because the relay that owns the hub is made with the upstream. */
  hub: () => Hub;
  /** Where the owners of channels are found. */
  directory: OwnerDirectory;
  /** Name of this edge in `Lp-Trickle-Via`, which no other edge may have. Default a random one. */
  edgeId?: string;
  /** Certificate authorities (PEM) to trust instead of the system's, for upstream edges on https. */
  ca?: string | Buffer;
  /** A mirror ends this long after its last reader has left. Default 10 s. */
  lingerMs?: number;
  /** How long it may take to learn where a channel is and where it stands. Default 5 s. */
  openMs?: number;
  /** How long to wait for the first segment of a channel whose edge tells the MIME type with segments only. Default 60 s. */
  firstSegmentMs?: number;
  /** How long a mirror outlives the loss of its upstream edge. Default 10 s. */
  outageMs?: number;
  /** How long it is remembered that nobody has a channel. Default 1 s. */
  notFoundMs?: number;
  /** A GET that has waited this long is opened again. Default 20 s. */
  reopenMs?: number;
  /** How long the end of a mirror waits for readers that are behind. Default 1 s. */
  drainMs?: number;
  /** Mirrors at a time, those included that are being opened. Default 1000. */
  maxMirrors?: number;
  /** Questions to upstream edges and to the directory at a time. Default 256. */
  maxAsking?: number;
}

/** Channels of other edges, mirrored here while somebody reads them. */
export interface CascadeUpstream extends Upstream {
  /** Name of this edge in `Lp-Trickle-Via`. */
  readonly edgeId: string;
  readonly counters: Readonly<CascadeCounters>;
  /** Mirrors now. */
  readonly mirrors: number;
  /** Ends all mirrors and gives up all connections. Idempotent. */
  close(): Promise<void>;
}

/** How often mirrors are looked at, at most. */
const SWEEP_MS = 1000;

/** How long an answer of an upstream edge that is no help is remembered for its channel. */
const FAILED_MS = 500;

const MAX_REMEMBERED = 10_000;

/** Makes an upstream: what a relay asks for channels that it does not have (Trickle spec, Cascade). */
export function createUpstream(options: UpstreamOptions): CascadeUpstream {
  return new EdgeUpstream(options);
}

class EdgeUpstream implements CascadeUpstream {
  readonly edgeId: string;
  readonly counters = createCascadeCounters();
  readonly #options: Required<Omit<UpstreamOptions, 'ca'>> & Pick<UpstreamOptions, 'ca'>;
  readonly #times: MirrorTimes;
  readonly #mirrors = new Set<Mirror>();
  /** By channel and way: who comes through other edges may be refused where who comes directly is not. */
  readonly #openings = new Map<string, Promise<Channel | null>>();
  /** Of channels that could not be opened a moment ago: why, or null when nobody has them. */
  readonly #memory = new BriefMemory<RunnelError | null>({ clock: () => performance.now(), maxEntries: MAX_REMEMBERED });
  readonly #backoff = new OriginBackoff(() => performance.now());
  readonly #stop = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #asking = 0;
  #closing: Promise<void> | null = null;

  constructor(options: UpstreamOptions) {
    this.#options = {
      lingerMs: 10_000,
      openMs: 5000,
      firstSegmentMs: 60_000,
      outageMs: 10_000,
      notFoundMs: 1000,
      reopenMs: 20_000,
      drainMs: 1000,
      maxMirrors: 1000,
      maxAsking: 256,
      ...options,
      edgeId: options.edgeId ?? randomEdgeId(),
    };
    const { lingerMs, outageMs, reopenMs, openMs, drainMs } = this.#options;
    this.edgeId = this.#options.edgeId;
    this.#times = { lingerMs, outageMs, reopenMs, askMs: openMs, drainMs };
    this.#timer = setInterval(() => this.#sweep(), Math.min(SWEEP_MS, Math.max(10, lingerMs / 4)));
  }

  get mirrors(): number {
    return this.#mirrors.size;
  }

  async open({ channel, target, via }: Parameters<Upstream['open']>[0]): Promise<Channel | null> {
    this.#throwIfClosed();
    const sentVia = this.#extendVia(via);
    const here = this.#options.hub().get(channel);
    if (here !== undefined) return here;
    // Names with a leading underscore are each relay's own channels.
    if (!isChannelName(channel) || channel.startsWith('_')) return null;
    // A copy: a part of a string keeps the whole request in memory, and what is remembered stays for a while.
    const name = flat(channel);
    const remembered = this.#memory.get(name);
    if (remembered !== undefined) {
      this.counters.remembered += 1;
      if (remembered !== null) throw remembered;
      return null;
    }
    const key = `${name} ${via ?? ''}`;
    const under = this.#openings.get(key);
    if (under !== undefined) return under;
    const { maxMirrors } = this.#options;
    if (this.#mirrors.size + this.#openings.size >= maxMirrors) {
      throw new RunnelError('limit_exceeded', { message: `This edge mirrors ${maxMirrors} channels already.` });
    }
    const opening = this.#open(name, { target, via, sentVia }).finally(() => this.#openings.delete(key));
    this.#openings.set(key, opening);
    return opening;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Finds the owner, asks where the channel stands, and follows it from there. */
  async #open(name: string, how: { target: number; via: string | null; sentVia: string }): Promise<Channel | null> {
    let remote: RemoteChannel | null = null;
    try {
      const found = await this.#locate(name, how);
      if (found === null) {
        this.counters.notFound += 1;
        this.#memory.set(name, null, this.#options.notFoundMs);
        return null;
      }
      remote = found.remote;
      const mirror = await this.#mirror(name, found, startOf(how.target, found.position));
      // Now the mirror's.
      if (mirror !== null) remote = null;
      return mirror ?? this.#options.hub().get(name) ?? null;
    } catch (error) {
      this.#remember(name, how.via, error);
      throw error;
    } finally {
      remote?.close();
    }
  }

  /** The channel at its owner; null when nobody has it. @throws RunnelError. */
  async #locate(name: string, how: { target: number; sentVia: string }): Promise<{ remote: RemoteChannel; position: Position } | null> {
    const { maxAsking, openMs, directory, ca } = this.#options;
    if (this.#asking >= maxAsking) {
      throw new RunnelError('overloaded', { message: 'This edge asks for too many channels at once.' });
    }
    const untilMs = performance.now() + openMs;
    this.#asking += 1;
    try {
      const owner = await within(directory.find(name), { timeoutMs: openMs, signal: this.#stop.signal, what: 'Finding the owner' });
      if (owner === null) return null;
      const remote = new RemoteChannel(owner, { via: how.sentVia, ca });
      try {
        const position = await this.#ask(remote, how.target, untilMs);
        if (position !== null) return { remote, position };
        remote.close();
        return null;
      } catch (error) {
        remote.close();
        throw error;
      }
    } finally {
      this.#asking -= 1;
    }
  }

  async #ask(remote: RemoteChannel, target: number, untilMs: number): Promise<Position | null> {
    this.#backoff.check(remote.origin);
    const work = remote.locate(target, Math.max(1, untilMs - performance.now()));
    try {
      // The deadline is the work's own; its connections break when this upstream is closed.
      const position = await within(work, { timeoutMs: 2 * this.#options.openMs, signal: this.#stop.signal, what: 'Asking upstream' });
      this.#backoff.answered(remote.origin);
      return position;
    } catch (error) {
      if (this.#stop.signal.aborted) throw error;
      if (error instanceof RunnelError) {
        if (error.code === 'loop_detected') this.counters.loops += 1;
        else this.counters.failures += 1;
        throw error;
      }
      this.counters.failures += 1;
      this.#backoff.failed(remote.origin);
      const late = performance.now() >= untilMs;
      throw late
        ? new RunnelError('deadline_exceeded', { message: 'The upstream edge did not answer in time.', cause: error })
        : new RunnelError('edge_unreachable', { message: 'The upstream edge cannot be reached.', cause: error });
    }
  }

  /** Makes the channel here and follows the one upstream; null when it has ended, or is here by now. */
  async #mirror(name: string, found: { remote: RemoteChannel; position: Position }, start: number): Promise<Channel | null> {
    const hub = this.#options.hub();
    const { firstSegmentMs: timeoutMs } = this.#options;
    const { remote, position } = found;
    let first = position.mimeType === null ? null : { get: remote.get(start), mimeType: position.mimeType };
    first ??= await firstSegment(remote, { start, timeoutMs, signal: this.#stop.signal });
    this.#throwIfClosed();
    if (first === null || hub.get(name) !== undefined) return null;
    const { get, mimeType } = first;
    const channel = hub.create({ name, mimeType, firstSeq: get.target, readOnly: true, idleMs: null });
    this.counters.opened += 1;
    const mirror: Mirror = new Mirror({
      channel,
      remote,
      position,
      first: get,
      counters: this.counters,
      times: this.#times,
      onDone: () => this.#mirrors.delete(mirror),
    });
    this.#mirrors.add(mirror);
    return channel;
  }

  #extendVia(via: string | null): string {
    try {
      return extendVia(via, this.edgeId);
    } catch (error) {
      this.counters.loops += 1;
      throw error;
    }
  }

  /** So that a channel which is asked for often is not asked for upstream as often. */
  #remember(name: string, via: string | null, error: unknown): void {
    if (!(error instanceof RunnelError)) return;
    // Too long a way for who came through others may be short enough for who comes directly.
    if (error.code === 'loop_detected' && via === null) this.#memory.set(name, error, this.#options.notFoundMs);
    if (error.code === 'edge_unreachable' || error.code === 'deadline_exceeded') this.#memory.set(name, error, FAILED_MS);
  }

  #sweep(): void {
    const nowMs = performance.now();
    for (const mirror of this.#mirrors) mirror.sweep(nowMs);
  }

  #throwIfClosed(): void {
    if (this.#stop.signal.aborted) throw this.#stop.signal.reason;
  }

  async #close(): Promise<void> {
    clearInterval(this.#timer);
    this.#stop.abort(new RunnelError('shutting_down', { message: 'This edge is going down.' }));
    await Promise.allSettled(this.#openings.values());
    await Promise.all(Array.from(this.#mirrors, (mirror) => mirror.close()));
  }
}
