import type { Channel } from '../channel.ts';
import type { HubCounters } from '../counters.ts';
import type { TrickleLimits } from '../limits.ts';
import type { Segment } from '../segment.ts';
import type { Post } from './publisher.ts';
import type { Reading, SubscriberActor } from './subscriber.ts';

/** A rule was broken. */
export class Violation extends Error {}

/** @throws Violation unless it holds. */
export function hold(isSo: boolean, claim: string): asserts isSo {
  if (!isSo) throw new Violation(claim);
}

/** What was accepted under one sequence number, and what was done to it. */
export interface Entry {
  readonly seq: number;
  readonly openedMs: number;
  firstMs: number | null;
  readonly bytes: number[];
  chunks: number;
  /** Memory that it is counted with. */
  cost: number;
  /** A publisher died in the middle. */
  cut: boolean;
  /** Closed since the latest byte: by its last publisher, or from outside. */
  closed: boolean;
  /** Ended without a byte. */
  emptied: boolean;
  missed: boolean;
  /** It has left the window. */
  gone: boolean;
  /** It left while a publisher kept it open. */
  overrun: boolean;
  /** Readers saw it as evicted although they had all that ever came. */
  robbed: boolean;
  turn: Post | null;
}

/** What a plain reading of the spec says of one channel from its creation to its end: the other side of every comparison. */
export class Ledger {
  readonly channel: Channel;
  readonly limits: TrickleLimits;
  readonly entries = new Map<number, Entry>();
  /** Writers attached. */
  readonly posts = new Set<Post>();
  /** Readers attached. */
  readonly readings = new Set<Reading>();
  readonly counts: Omit<HubCounters, 'channelsCreated' | 'channelsEnded'> = {
    segments: 0,
    cuts: 0,
    evictions: 0,
    readersLost: 0,
    gaps: 0,
    takeovers: 0,
    refusedForSpace: 0,
    bytesIn: 0,
    bytesOut: 0,
  };
  next: number;
  floor: number;
  lastWriteMs: number;
  drain: { untilMs: number; recentMs: number } | null = null;
  everRead = false;
  /** A subscriber came by number, or out of a long silence: from then on the relay cannot tell such a one from those that follow. */
  uncertain = false;
  /** Numbers that somebody was told are not in the window, in this step. */
  readonly toldGone = new Set<number>();

  constructor(channel: Channel, limits: TrickleLimits, nowMs: number) {
    this.channel = channel;
    this.limits = limits;
    this.next = channel.nextWrite;
    this.floor = channel.nextWrite;
    this.lastWriteMs = nowMs;
  }

  /** The entry of a number that is opened now, if it was not before. */
  open(seq: number, nowMs: number): Entry {
    let entry = this.entries.get(seq);
    if (entry === undefined) {
      entry = {
        seq,
        openedMs: nowMs,
        firstMs: null,
        bytes: [],
        chunks: 0,
        cost: 0,
        turn: null,
        cut: false,
        closed: false,
        emptied: false,
        missed: false,
        gone: false,
        overrun: false,
        robbed: false,
      };
      this.entries.set(seq, entry);
    }
    return entry;
  }

  /** Whether somebody can read or write it. */
  isHeld(seq: number): boolean {
    return this.entries.get(seq)?.gone === false;
  }

  /** Lowest number that can be read. */
  get oldest(): number {
    let oldest = this.next;
    for (const entry of this.entries.values()) if (!entry.gone) oldest = Math.min(oldest, entry.seq);
    return oldest;
  }

  /** Memory that what is held is counted with. */
  get cost(): number {
    let cost = 0;
    for (const entry of this.entries.values()) if (!entry.gone) cost += entry.cost;
    return cost;
  }

  /** Writers that keep a segment open. */
  inRight(seq: number): Post[] {
    return [...this.posts].filter((post) => post.seq === seq && post.supersededMs === null);
  }

  /** A segment is closed from outside, or without a byte: the next write moves past it. */
  pass(entry: Entry): void {
    entry.closed = true;
    if (entry.bytes.length === 0 && !entry.missed) {
      if (!entry.emptied) this.counts.segments += 1;
      entry.emptied = true;
    }
    this.next = Math.max(this.next, entry.seq + 1);
  }

  /** Bytes are accepted. */
  accept(entry: Entry, bytes: Uint8Array, { nowMs, cost }: { nowMs: number; cost: number }): void {
    if (entry.bytes.length === 0 && !entry.emptied && !entry.missed) this.counts.segments += 1;
    entry.firstMs ??= nowMs;
    for (const byte of bytes) entry.bytes.push(byte);
    entry.chunks += 1;
    entry.cost += cost;
    entry.closed = entry.emptied = entry.missed = false;
    this.counts.bytesIn += bytes.length;
    this.next = Math.max(this.next, entry.seq + 1);
    this.lastWriteMs = nowMs;
  }

  /** A publisher is gone in the middle. */
  die(post: Post): void {
    if (post.sent === 0) return;
    const entry = this.entries.get(post.seq!)!;
    if (!entry.cut) this.counts.cuts += 1;
    entry.cut = true;
  }

  /** After each step: everything that can be seen of the channel is as the ledger says. `swept`: time alone had its turn. */
  verify(nowMs: number, options: { swept: boolean }): void {
    const { channel } = this;
    hold(channel.nextWrite === this.next, `next write is ${channel.nextWrite}, should be ${this.next}`);
    hold(channel.readers === this.readings.size, `${channel.readers} readers, should be ${this.readings.size}`);
    hold(channel.writers === this.posts.size, `${channel.writers} writers, should be ${this.posts.size}`);
    this.#verifyWindow(nowMs, options);
    for (const post of this.posts) post.verify();
    for (const reading of this.readings) reading.verify();
    for (const key of Object.keys(this.counts) as (keyof typeof this.counts)[]) {
      hold(channel.counters[key] === this.counts[key], `${key} is ${channel.counters[key]}, should be ${this.counts[key]}`);
    }
    this.toldGone.clear();
  }

  /** The channel ends: because it was ordered at once, was ordered with patience, or in the course of time. */
  verifyEnd(cause: 'ordered' | 'time' | { drainMs: number }, subscribers: readonly SubscriberActor[], nowMs: number): void {
    for (const entry of this.entries.values()) entry.closed = true;
    if (cause === 'ordered') return;
    const { drain, channel } = this;
    if (cause === 'time' && channel.idleMs !== null && nowMs - this.lastWriteMs > channel.idleMs) return;
    hold(drain !== null, 'ended for no reason');
    if (nowMs >= drain.untilMs || this.uncertain) return;
    // Who orders the end again with less patience gets it sooner.
    const recentMs = cause === 'time' ? drain.recentMs : Math.min(drain.recentMs, cause.drainMs);
    const behind = subscribers.findIndex((subscriber) => subscriber.isBehind(this, nowMs, recentMs));
    hold(behind === -1, `ended although subscriber ${behind} is behind and may still come`);
  }

  #verifyWindow(nowMs: number, { swept }: { swept: boolean }): void {
    const { limits } = this;
    const now = this.channel.segments;
    const held = new Set<number>();
    let before = -1;
    for (const segment of now) {
      hold(segment.seq > before, `segment ${segment.seq} stands behind ${before}`);
      before = segment.seq;
      held.add(segment.seq);
      const entry = this.entries.get(segment.seq);
      hold(entry !== undefined && !entry.gone, `segment ${segment.seq} came from nowhere, or came back`);
      this.#verifySegment(segment, entry);
    }
    const left = [...this.entries.values()].filter(({ seq, gone }) => !gone && !held.has(seq)).toSorted((a, b) => a.seq - b.seq);
    for (const entry of left) {
      entry.gone = true;
      this.floor = Math.max(this.floor, entry.seq + 1);
      this.counts.evictions += 1;
      for (const seq of held) hold(seq > entry.seq, `${entry.seq} left before ${seq}, which is older`);
    }
    const cost = this.cost;
    hold(this.channel.heldBytes === cost, `held bytes are ${this.channel.heldBytes}, should be ${cost}`);
    hold(cost <= limits.windowBytes, `${cost} bytes held`);
    const written = now.filter(({ seq }) => seq < this.next).length;
    hold(!swept || this.channel.ended || written <= limits.maxSegments, `${written} segments held`);
    const last = left.at(-1);
    if (last !== undefined) {
      const over = cost + last.cost > limits.windowBytes || written + 1 > limits.maxSegments;
      hold(last.seq < this.next, `segment ${last.seq} left before its turn came`);
      hold(over || this.#isOutdated(last, nowMs), `segment ${last.seq} left too early`);
      for (const { seq, bytes, overrun, robbed } of left) {
        hold(overrun || !robbed || bytes.length === 0, `segment ${seq} was taken from a reader who had it all`);
      }
    }
    const oldest = this.entries.get(now[0]?.seq);
    hold(
      !swept || this.channel.ended || oldest === undefined || !this.#isOutdated(oldest, nowMs),
      `segment ${oldest?.seq} should have left`,
    );
    for (const seq of this.toldGone) hold(!held.has(seq), `segment ${seq} was called gone, and is there`);
    for (const reading of this.readings) if (reading.entry.gone) reading.countLost();
  }

  #verifySegment(segment: Segment, entry: Entry): void {
    const { seq } = entry;
    hold(segment.bytes === entry.bytes.length && segment.length === entry.chunks, `segment ${seq} holds ${segment.bytes} bytes`);
    const closed = entry.cut ? 'cut' : 'closed';
    const end = entry.missed ? 'missed' : entry.closed ? closed : null;
    hold(segment.end === end, `segment ${seq} is ${segment.end}, should be ${end}`);
  }

  #isOutdated({ seq, firstMs, openedMs }: Entry, nowMs: number): boolean {
    return seq < this.next - this.limits.windowSegments && nowMs - (firstMs ?? openedMs) > this.limits.windowAgeMs;
  }
}
