import type { Channel } from '../channel.ts';
import type { HubCounters } from '../counters.ts';
import { createHub, type Hub } from '../hub.ts';
import { channelTimeline } from '../timeline.ts';
import { hold, Ledger, Violation } from './ledger.ts';
import { expectRefusal, PublisherActor } from './publisher.ts';
import { SubscriberActor } from './subscriber.ts';
import type { Step, Trace } from './trace.ts';

/** First number of the second channel: a mirror begins in the middle. */
const MIRROR_FIRST_SEQ = 40;

/** A hub, its actors and the ledgers of its channels, under a clock that steps move. */
export class World {
  nowMs = 1_000_000;
  readonly hub: Hub;
  readonly #publishers: readonly PublisherActor[];
  readonly #subscribers: readonly SubscriberActor[];
  readonly #channels: number;
  /** Of the channels that are there, and of those that ended and are still read. */
  #ledgers: Ledger[] = [];
  /** Sums over the channels that are no more. */
  readonly #past: Partial<HubCounters> = {};
  #created = 0;
  #ended = 0;
  #lastId = 0;
  #step: Step | { op: 'over' } = { op: 'sweep' };

  constructor(trace: Trace) {
    const { limits, channels, publishers, subscribers } = trace;
    this.hub = createHub({ clock: () => this.nowMs, limits });
    this.#channels = channels;
    this.#publishers = publishers.map((kind, index) => new PublisherActor(this, kind, index % channels));
    this.#subscribers = subscribers.map((options, index) => new SubscriberActor(this, { ...options, ch: index % channels }));
  }

  /** A number that is not used again. */
  nextId(): number {
    return (this.#lastId += 1);
  }

  /** The ledger of a channel that is there. */
  alive(ch: number): Ledger | undefined {
    const channel = this.hub.get(`c${ch % this.#channels}`);
    return this.#ledgers.find((ledger) => ledger.channel === channel);
  }

  /** Whether a subscriber of that channel is between two requests. */
  isSomebodyBetween(ledger: Ledger): boolean {
    return this.#subscribers.some((subscriber) => subscriber.isBetween(ledger));
  }

  /** Memory that all channels are counted with. */
  get heldBytes(): number {
    let sum = 0;
    for (const ledger of this.#ledgers) if (!ledger.channel.ended || ledger.readings.size > 0) sum += ledger.cost;
    return sum;
  }

  /** Does a step and holds all that can be seen against the ledgers. @throws Violation */
  step(step: Step): void {
    this.#step = step;
    this.#do(step);
    this.#verify(step.op === 'sweep');
  }

  /** The end of everything: nobody may be left waiting. @throws Violation */
  finish(): void {
    for (const { drain } of this.#ledgers) this.nowMs = Math.max(this.nowMs, drain?.untilMs ?? 0);
    this.step({ op: 'sweep' });
    for (const { channel, drain } of this.#ledgers) hold(drain === null || channel.ended, 'a drain does not end');
    this.#step = { op: 'over' };
    this.hub.endAll();
    this.#verify(false);
    for (const { posts } of this.#ledgers) hold(posts.size === 0, 'a writer waits for ever');
    for (const subscriber of this.#subscribers) subscriber.resume();
    for (const { readings } of this.#ledgers) hold(readings.size === 0, 'a reader waits for ever');
    for (const subscriber of this.#subscribers) subscriber.leave();
    this.#verify(false);
    hold(this.hub.size === 0 && this.hub.heldBytes === 0, `${this.hub.size} channels and ${this.hub.heldBytes} bytes are left`);
  }

  #do(step: Step): void {
    switch (step.op) {
      case 'post':
      case 'write':
      case 'end':
      case 'die':
        return this.#publishers[step.pub % this.#publishers.length].step(step);
      case 'close':
        return this.#close(step);
      case 'delete':
        return this.#delete(step);
      case 'create':
        return this.#create(step.ch % this.#channels);
      case 'skip':
        return this.#skip(step);
      case 'wait':
        this.nowMs += step.ms;
        return;
      case 'sweep':
        return this.#sweep();
      case 'join':
      case 'take':
      case 'stall':
      case 'resume':
      case 'leave':
      case 'reopen':
      case 'follow':
        this.#subscribers[step.sub % this.#subscribers.length].step(step);
    }
  }

  #create(ch: number): void {
    const options = { name: `c${ch}`, mimeType: 'x', firstSeq: ch === 1 ? MIRROR_FIRST_SEQ : 0 };
    if (this.hub.get(options.name) !== undefined) return expectRefusal('channel_exists', () => this.hub.create(options));
    if (this.hub.size >= this.hub.limits.maxChannels) return expectRefusal('limit_exceeded', () => this.hub.create(options));
    const channel = this.hub.create(options);
    hold(channel.nextWrite === options.firstSeq && channel.segments.length === 0, 'a new channel is not empty');
    const ledger = new Ledger(channel, this.hub.limits, this.nowMs);
    this.#ledgers.push(ledger);
    this.#created += 1;
    channel.onEnd(() => this.#endOf(ledger));
  }

  #endOf(ledger: Ledger): void {
    this.#ended += 1;
    const step = this.#step;
    const deleted = step.op === 'delete' && step.drainMs > 0 ? step : 'time';
    const ordered = step.op === 'over' || (step.op === 'delete' && step.drainMs === 0);
    ledger.verifyEnd(ordered ? 'ordered' : deleted, this.#subscribers, this.nowMs);
  }

  #delete({ ch, drainMs }: Extract<Step, { op: 'delete' }>): void {
    const ledger = this.alive(ch);
    const name = `c${ch % this.#channels}`;
    if (ledger === undefined) return hold(!this.hub.end(name), 'ended what is not there');
    // Set before: it may end at once.
    const drain = (ledger.drain ??= { untilMs: this.nowMs + drainMs, recentMs: drainMs });
    this.hub.end(name, { drainMs });
    hold(ledger.channel.ended || (drainMs > 0 && ledger.everRead), 'the end waits for nobody');
    hold(ledger.channel.ended || ledger.channel.draining, 'neither ended nor ending');
    if (ledger.channel.ended) ledger.drain = null;
    else hold(drain === ledger.drain, 'a drain begins anew');
  }

  #close({ ch, by }: Extract<Step, { op: 'close' }>): void {
    const ledger = this.alive(ch);
    if (ledger === undefined) return;
    const seq = Math.max(0, ledger.next + 1 - by);
    const entry = ledger.entries.get(seq);
    const isHeld = entry?.gone === false;
    if (isHeld) ledger.pass(entry);
    hold(ledger.channel.closeSegment(seq) === isHeld, `closing ${seq}, which is${isHeld ? '' : ' not'} held`);
  }

  #skip({ ch, by }: Extract<Step, { op: 'skip' }>): void {
    const ledger = this.alive(ch);
    if (ledger === undefined) return;
    const to = ledger.next + by;
    ledger.next = to;
    for (const entry of ledger.entries.values()) {
      const { seq, gone, bytes, emptied, missed } = entry;
      if (gone || seq >= to || bytes.length > 0 || emptied || missed || [...ledger.posts].some((post) => post.seq === seq)) continue;
      entry.missed = true;
      for (const reading of ledger.readings) if (reading.entry === entry) ledger.counts.gaps += 1;
    }
    ledger.channel.skipTo(to);
  }

  #sweep(): void {
    const due = this.#ledgers.filter(({ drain, channel, lastWriteMs }) => {
      const isIdle = channel.idleMs !== null && this.nowMs - lastWriteMs > channel.idleMs;
      return isIdle || (drain !== null && this.nowMs >= drain.untilMs);
    });
    this.hub.sweep(this.nowMs);
    for (const { channel } of due) hold(channel.ended, 'a channel should have ended by time');
    for (const { posts, limits } of this.#ledgers) {
      for (const { id, supersededMs, mustWait } of posts) {
        const mayStay = supersededMs === null || mustWait || this.nowMs - supersededMs < limits.takeoverGraceMs;
        hold(mayStay, `writer ${id} should have given way`);
      }
    }
  }

  #verify(swept: boolean): void {
    for (const ledger of this.#ledgers) ledger.verify(this.nowMs, { swept });
    const { counters, heldBytes, size } = this.hub;
    hold(heldBytes === this.heldBytes, `the hub holds ${heldBytes} bytes, should be ${this.heldBytes}`);
    hold(counters.channelsCreated === this.#created && counters.channelsEnded === this.#ended, 'channels are miscounted');
    hold(size === this.#created - this.#ended, 'the hub has lost a channel, or keeps one');
    this.#retire();
    for (const key of Object.keys(counters) as (keyof HubCounters)[]) {
      if (key === 'channelsCreated' || key === 'channelsEnded') continue;
      let sum = this.#past[key] ?? 0;
      for (const { counts } of this.#ledgers) sum += counts[key];
      hold(counters[key] === sum, `the hub has counted ${counters[key]} ${key}, its channels ${sum}`);
    }
  }

  /** Forgets channels that have ended and that nobody has to do with any more. */
  #retire(): void {
    const over = this.#ledgers.filter((ledger) => ledger.channel.ended && !this.#subscribers.some((subscriber) => subscriber.isAt(ledger)));
    if (over.length === 0) return;
    for (const { channel, counts } of over) {
      verifyTimeline(channel);
      for (const key of Object.keys(counts) as (keyof typeof counts)[]) this.#past[key] = (this.#past[key] ?? 0) + counts[key];
    }
    this.#ledgers = this.#ledgers.filter((ledger) => !over.includes(ledger));
  }
}

/** What is wrong with a trace; null when nothing is. */
export function problemOf(trace: Trace): string | null {
  try {
    const world = new World(trace);
    for (const step of trace.steps) world.step(step);
    world.finish();
    return null;
  } catch (error) {
    return error instanceof Violation ? error.message : String(error instanceof Error ? error.stack : error);
  }
}

function verifyTimeline(channel: Channel): void {
  const { segments, events, nextWrite } = channelTimeline(channel);
  hold(segments.length <= 64 + channel.segments.length && events.length <= 32, 'the timeline grows');
  hold(events.some(({ kind }) => kind === 'ended') && nextWrite === channel.nextWrite, 'the timeline does not tell the end');
  for (const [index, { seq }] of segments.entries()) hold(index === 0 || segments[index - 1].seq < seq, 'the timeline is out of order');
}
