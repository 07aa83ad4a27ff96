import type { Chunk } from '../chunk.ts';
import type { SegmentReader } from '../reader.ts';
import type { SegmentEnd } from '../segment.ts';
import { CURRENT, NEXT } from '../sequence.ts';
import { FORGET_MS } from '../followers.ts';
import { type Entry, hold, type Ledger } from './ledger.ts';
import { expectRefusal } from './publisher.ts';
import type { Step } from './trace.ts';
import type { World } from './world.ts';

/** One request of a subscriber for one segment. */
export class Reading {
  readonly ledger: Ledger;
  readonly entry: Entry;
  readonly reader: SegmentReader;
  over = false;
  #chunks = 0;
  #bytes = 0;
  #told = 0;
  #seenChunks: number;
  #seenEnd: SegmentEnd | null;
  #lost = false;

  constructor(ledger: Ledger, entry: Entry, reader: SegmentReader) {
    this.ledger = ledger;
    this.entry = entry;
    this.reader = reader;
    this.#seenChunks = reader.segment.chunksSeen;
    this.#seenEnd = reader.segment.end;
    ledger.readings.add(this);
  }

  /** The relay says that something has changed. */
  tell(): void {
    this.#told += 1;
  }

  /** Takes the next chunk, which must be what was accepted there. */
  take(): boolean {
    const chunk = this.reader.next();
    if (chunk === null) return false;
    for (const byte of payloadOf(chunk)) {
      hold(byte === this.entry.bytes[this.#bytes], `byte ${this.#bytes} of segment ${this.entry.seq} is not what was accepted there`);
      this.#bytes += 1;
    }
    this.#chunks += 1;
    this.ledger.counts.bytesOut += chunk.size;
    return true;
  }

  /** How it ended for this reader, held against what is known; null when it has not. */
  get end(): SegmentEnd | null {
    const { entry, reader } = this;
    const { end } = reader;
    if (end === null) return null;
    const all = this.#bytes === entry.bytes.length;
    const what = `segment ${entry.seq} with ${this.#bytes} of ${entry.bytes.length} bytes is called ${end}`;
    if (end === 'closed') hold(all && !entry.cut, what);
    else if (end === 'cut') hold(all && entry.cut, what);
    else if (end === 'missed') hold(entry.missed, what);
    else {
      // Whether a publisher was still at it is known at the end of the step in which it left.
      if (all && entry.gone) hold(entry.overrun || entry.bytes.length === 0, what);
      else if (all) entry.robbed = true;
      this.countLost();
    }
    return end;
  }

  /** It was still reading when the segment left the window. */
  countLost(): void {
    const { entry } = this;
    if (this.#lost || entry.chunks === 0 || this.reader.segment.outcome === null) return;
    if (this.#chunks === entry.chunks && this.reader.end !== 'evicted') return;
    this.#lost = true;
    this.ledger.counts.readersLost += 1;
  }

  /** The request is over. */
  close(): void {
    this.over = true;
    this.ledger.readings.delete(this);
    this.reader.close();
    this.reader.close();
  }

  /** Whoever waits was told of what has changed since the step before. */
  verify(): void {
    const { chunksSeen, end, seq } = this.reader.segment;
    hold(seq === this.entry.seq, `a reader of ${this.entry.seq} is at ${seq}`);
    const changed = chunksSeen !== this.#seenChunks || end !== this.#seenEnd;
    hold(!changed || this.#told > 0, `a reader of segment ${seq} was not told: ${this.#seenEnd} to ${end}, chunk ${chunksSeen}`);
    hold(!this.entry.gone || end === 'evicted', `a reader waits on segment ${seq}, which has left`);
    hold(!this.ledger.channel.ended || end !== null, `a reader waits on segment ${seq} of a channel that has ended`);
    this.#seenChunks = chunksSeen;
    this.#seenEnd = end;
    this.#told = 0;
  }
}

/** A subscriber that follows as clients do: n + 1 when n begins, or when it has ended; the live edge when it is told of a gap. */
export class SubscriberActor {
  readonly #world: World;
  readonly #preconnects: boolean;
  readonly #ch: number;
  #ledger: Ledger | null = null;
  #readings: Reading[] = [];
  #stalled = false;
  /** Number of its latest request; null while it does not follow. */
  #asked: number | null = null;
  /** Number to ask for next, when it is not asked for yet. */
  #wanted: number | null = null;
  #idleSinceMs = 0;

  constructor(world: World, options: { preconnects: boolean; ch: number }) {
    this.#world = world;
    this.#preconnects = options.preconnects;
    this.#ch = options.ch;
  }

  /** Does what a step says. */
  step(step: Extract<Step, { sub: number }>): void {
    switch (step.op) {
      case 'join':
        return this.#join(step);
      case 'take':
        return this.#pump(this.#readings[0], step.chunks);
      case 'stall':
        this.#stalled = true;
        return;
      case 'resume':
        return this.resume();
      case 'leave':
        return this.leave();
      case 'reopen':
        return this.#reopen();
      case 'follow':
        if (this.#wanted === null) return;
        if (this.#world.nowMs - this.#idleSinceMs > FORGET_MS) this.#ledger!.uncertain = true;
        this.#ask(this.#wanted);
    }
  }

  /** Whether it follows that channel, and has no request open for what comes next. */
  isBetween(ledger: Ledger): boolean {
    return this.#ledger === ledger && this.#wanted !== null;
  }

  /** Whether it has something to do with that channel. */
  isAt(ledger: Ledger): boolean {
    return this.#ledger === ledger;
  }

  /** Takes whatever there is from now on. */
  resume(): void {
    this.#stalled = false;
    for (const reading of this.#readings) this.#pump(reading, Infinity);
  }

  /** Hangs up. */
  leave(): void {
    // A relay that sees only requests may take it for one that is between two of them.
    if (this.#ledger !== null && this.#world.isSomebodyBetween(this.#ledger)) this.#ledger.uncertain = true;
    const readings = this.#readings;
    this.#stop();
    for (const reading of readings) reading.close();
  }

  /** Whether it follows that channel, has not come to its next write, and may still come: a relay can know of this one. */
  isBehind(ledger: Ledger, nowMs: number, recentMs: number): boolean {
    if (this.#ledger !== ledger || this.#asked === null || this.#asked >= ledger.next) return false;
    const reads = this.#readings.some(({ entry }) => entry.seq === this.#asked && !entry.gone);
    return reads || (this.#wanted !== null && nowMs - this.#idleSinceMs <= recentMs);
  }

  #join({ at, by }: Extract<Step, { op: 'join' }>): void {
    const ledger = this.#world.alive(this.#ch);
    if (this.#ledger !== null || ledger === undefined) return;
    this.#ledger = ledger;
    if (at === 'number') ledger.uncertain = true;
    this.#ask({ next: NEXT, current: CURRENT, back: -3 - by, number: Math.max(0, ledger.next + 1 - by) }[at]);
  }

  #ask(target: number): void {
    const ledger = this.#ledger!;
    const { channel, next, limits } = ledger;
    const seq = resolve(ledger, target);
    const mayRead = !channel.ended || (ledger.isHeld(seq) && ledger.entries.get(seq)!.bytes.length > 0);
    if (mayRead && ledger.readings.size >= limits.maxReaders) {
      expectRefusal('limit_exceeded', () => channel.read(target));
      return this.leave();
    }
    this.#asked = seq;
    this.#wanted = null;
    ledger.everRead = true;
    const ahead = !channel.ended && (seq === next || (seq === 1 && next === 0));
    const known = ahead ? ledger.open(seq, this.#world.nowMs) : ledger.entries.get(seq);
    const answer = channel.read(target);
    hold(answer.kind === 'reader' || (answer.seq === seq && answer.latest === next), `a read of ${target} is answered for ${seq}`);
    if (answer.kind === 'ended') {
      hold(channel.ended, `the channel is called ended`);
      return this.#rest();
    }
    if (answer.kind === 'gone') {
      hold(!ahead, `segment ${seq} is the next one and called gone`);
      if (known?.gone === false && !channel.ended) ledger.toldGone.add(seq);
      ledger.counts.gaps += 1;
      this.#want(next);
      return;
    }
    hold(known !== undefined && !known.gone, `segment ${seq} came from nowhere`);
    const reading = new Reading(ledger, known, answer.reader);
    this.#readings.push(reading);
    answer.reader.observer = {
      segmentChanged: () => {
        reading.tell();
        // As a connection that takes no more: what needs no place there still happens.
        if (!this.#stalled || reading.reader.end !== null) this.#pump(reading, this.#stalled ? 0 : Infinity);
      },
    };
    if (!this.#stalled) this.#pump(reading, Infinity);
  }

  #pump(reading: Reading | undefined, chunks: number): void {
    if (reading === undefined || reading.over || !reading.reader.ready) return;
    const { entry, ledger } = reading;
    const isOver = ledger.channel.ended && entry.bytes.length === 0;
    if (this.#preconnects && this.#asked === entry.seq && reading.end !== 'missed' && !isOver) this.#ask(entry.seq + 1);
    if (reading.over) return;
    for (let taken = 0; taken < chunks && reading.take(); taken += 1);
    const { end } = reading;
    if (end === null) return;
    this.#readings = this.#readings.filter((other) => other !== reading);
    if (this.#asked === entry.seq) {
      if (isOver) this.#rest();
      else this.#want(end === 'missed' ? ledger.next : entry.seq + 1);
      // Nobody knows whether one that was cut off comes back.
      if (end === 'evicted' && entry.bytes.length > 0) this.#idleSinceMs = Number.NEGATIVE_INFINITY;
    } else if (this.#asked === null) this.#rest();
    reading.close();
  }

  /** Gives up the request that waits, and makes it again. */
  #reopen(): void {
    const reading = this.#readings.at(-1);
    if (reading === undefined || reading.reader.ready || reading.entry.seq !== this.#asked) return;
    this.#readings.pop();
    reading.close();
    if (this.#ledger!.channel.ended) this.#rest();
    else this.#ask(reading.entry.seq);
  }

  #want(seq: number): void {
    this.#wanted = seq;
    this.#idleSinceMs = this.#world.nowMs;
  }

  /** Asks for no more; what is open is read to its end. */
  #rest(): void {
    this.#asked = null;
    this.#wanted = null;
    if (this.#readings.length === 0) this.#ledger = null;
  }

  #stop(): void {
    this.#readings = [];
    this.#rest();
  }
}

/** The number that a target stands for, by the spec (2.1.2). */
function resolve(ledger: Ledger, target: number): number {
  if (target >= 0) return target;
  if (target === NEXT) return ledger.next;
  const back = Math.max(ledger.channel.firstSeq, ledger.next + target + 1);
  return target === CURRENT ? back : Math.max(back, ledger.oldest);
}

function payloadOf(chunk: Chunk): number[] {
  const bytes = chunk.payloads.flatMap((payload) => [...payload]);
  hold(bytes.length === chunk.size, `a chunk of ${chunk.size} bytes has ${bytes.length}`);
  return bytes;
}
