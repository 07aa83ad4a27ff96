import { RunnelError } from '@runnel/errors';
import type { Channel } from '@runnel/trickle-core';
import { backoffMs } from '../client/retry.ts';
import type { SegmentGet } from '../client/segment-get.ts';
import { pause } from '../client/wait.ts';
import { copySegment } from './copy-segment.ts';
import type { CascadeCounters } from './counters.ts';
import { judge } from './judge.ts';
import { isAnother, type Position } from './position.ts';
import type { RemoteChannel } from './remote-channel.ts';

/** Times that a mirror keeps, ms. */
export interface MirrorTimes {
  /** It ends this long after its last reader has left. */
  readonly lingerMs: number;
  /** It ends when its upstream edge stays away for this long. */
  readonly outageMs: number;
  /** A GET that has waited this long is opened again, after a look whether the channel is still there. */
  readonly reopenMs: number;
  /** How long the upstream edge may take to tell where the channel stands. */
  readonly askMs: number;
  /** How long the end waits for what is still being received, and again for readers that are behind. */
  readonly drainMs: number;
}

/** What a mirror is made of. It owns all but counters and times. */
export interface MirrorParts {
  readonly channel: Channel;
  readonly remote: RemoteChannel;
  /** Where the channel stood upstream when the mirror was opened. */
  readonly position: Position;
  /** The GET of the first segment, under way. */
  readonly first: SegmentGet;
  readonly counters: CascadeCounters;
  readonly times: MirrorTimes;
  /** Called when it has given everything up. */
  readonly onDone: () => void;
}

/** A GET that was open for this long has shown that the upstream edge was there. */
const STEADY_MS = 1000;

/** How a mirror came to its end. */
type End = 'ended' | 'lost' | 'closed';

/**
 * A channel of this edge that follows one of another edge: the same numbers, the same bytes, the same holes (Trickle spec, Cascade). It
 * works from the moment it is made until the channel has ended, upstream or here.
 */
export class Mirror {
  /** Resolves when it has given everything up. */
  readonly done: Promise<void>;
  readonly #channel: Channel;
  readonly #remote: RemoteChannel;
  readonly #position: Position;
  readonly #counters: CascadeCounters;
  readonly #times: MirrorTimes;
  readonly #stop = new AbortController();
  readonly #copies = new Set<Promise<unknown>>();
  /** Since when the upstream edge has given no sign of life; null while it does. */
  #awaySinceMs: number | null = null;
  #failures = 0;
  #usedMs: number;
  #bytesOut = 0;

  constructor({ channel, remote, position, first, counters, times, onDone }: MirrorParts) {
    this.#channel = channel;
    this.#remote = remote;
    this.#position = position;
    this.#counters = counters;
    this.#times = times;
    this.#usedMs = performance.now();
    channel.onEnd(() => this.#stop.abort());
    this.done = this.#run(first).then(onDone);
  }

  /** Ends it when nobody has read from it for the linger time. */
  sweep(nowMs: number): void {
    const { bytesOut } = this.#channel.counters;
    if (this.#channel.readers > 0 || bytesOut !== this.#bytesOut) {
      this.#usedMs = nowMs;
      this.#bytesOut = bytesOut;
    } else if (nowMs - this.#usedMs >= this.#times.lingerMs) this.#leave();
  }

  /** Ends the channel here. Idempotent. */
  close(): Promise<void> {
    this.#leave();
    return this.done;
  }

  #leave(): void {
    this.#stop.abort();
    this.#remote.close();
    this.#channel.end();
  }

  async #run(first: SegmentGet): Promise<void> {
    // The readers for whom it was opened take their places first: what comes at once would else be before their "next".
    await new Promise((resolve) => setImmediate(resolve));
    const end = await this.#follow(first).catch(() => 'lost' as const);
    if (end === 'ended') await pauseUntil(Promise.all(this.#copies), this.#times.drainMs, this.#stop.signal);
    if (end === 'lost') this.#counters.lost += 1;
    this.#channel.end({ drainMs: end === 'closed' ? 0 : this.#times.drainMs });
    this.#remote.close();
    await Promise.all(this.#copies);
  }

  /** Reads segment after segment; the GET of the next one is open as soon as one has begun. */
  async #follow(first: SegmentGet): Promise<End> {
    for (let get = first; ;) {
      const waitMs = Math.max(0, get.openedMs + this.#times.reopenMs - performance.now());
      const outcome = await get.wait({ timeoutMs: waitMs, signals: [this.#stop.signal] });
      if (this.#stop.signal.aborted) return this.#giveUp(get);
      const verdict = outcome === null ? null : judge(outcome, get.target);
      let next: number | End = get.target;
      if (verdict?.kind === 'ended') return 'ended';
      if (verdict?.kind === 'segment') {
        this.#alive();
        this.#copy(get.target, verdict.body);
        next = get.target + 1;
      } else if (verdict?.kind === 'gap') {
        this.#alive();
        next = this.#skip(verdict.latest);
      } else next = await this.#find(get, verdict === null ? 'silent' : 'failed');
      if (this.#stop.signal.aborted) return this.#giveUp(get);
      if (typeof next !== 'number') return next;
      if (verdict === null) get.destroy();
      get = this.#remote.get(next);
    }
  }

  /**
   * Asks where the channel stands, until there is an answer or the edge has been away for too long. Returns the number to go on at:
   * the one that was asked for, or the oldest that is left.
   */
  async #find(get: SegmentGet, why: 'silent' | 'failed'): Promise<number | End> {
    let failed = why === 'failed';
    if (performance.now() - get.openedMs >= STEADY_MS) this.#alive();
    while (!this.#stop.signal.aborted) {
      if (failed) {
        const nowMs = performance.now();
        this.#counters.failures += 1;
        this.#failures += 1;
        this.#awaySinceMs ??= nowMs;
        if (nowMs - this.#awaySinceMs >= this.#times.outageMs) return 'lost';
        await pause(backoffMs(this.#failures), [this.#stop.signal]);
      }
      try {
        if (failed) this.#remote.renew();
        const position = await this.#remote.locate(get.target, this.#times.askMs);
        if (position === null || isAnother(this.#position, position, get.target)) return 'ended';
        if (failed) this.#counters.reconnects += 1;
        if (this.#stop.signal.aborted) return 'closed';
        const from = Math.min(position.oldest ?? get.target, position.nextWrite);
        return from > get.target ? this.#skip(from) : get.target;
      } catch (error) {
        if (error instanceof RunnelError && error.code === 'loop_detected') return 'ended';
        failed = true;
      }
    }
    return 'closed';
  }

  #copy(seq: number, body: Parameters<typeof copySegment>[2]): void {
    const copying = copySegment(this.#channel, seq, body).then((whole) => {
      if (!whole && !this.#stop.signal.aborted) this.#counters.cuts += 1;
      this.#copies.delete(copying);
    });
    this.#copies.add(copying);
  }

  #skip(to: number): number {
    this.#counters.gaps += 1;
    this.#channel.skipTo(to);
    return to;
  }

  #alive(): void {
    this.#awaySinceMs = null;
    this.#failures = 0;
  }

  #giveUp(get: SegmentGet): End {
    get.destroy();
    return 'closed';
  }
}

/** Waits for something that never rejects, or for a time, or a signal. */
async function pauseUntil(done: Promise<unknown>, timeoutMs: number, signal: AbortSignal): Promise<void> {
  const over = new AbortController();
  await Promise.race([done, pause(timeoutMs, [over.signal, signal])]);
  over.abort();
}
