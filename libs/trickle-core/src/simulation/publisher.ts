import { Chunk, CHUNK_OVERHEAD_BYTES } from '../chunk.ts';
import { NEXT } from '../sequence.ts';
import type { ChannelWriter, Release } from '../writer.ts';
import { type Entry, hold, type Ledger } from './ledger.ts';
import type { PublisherKind, Step } from './trace.ts';
import type { World } from './world.ts';

/** Posts that a publisher has under way at most. */
const MAX_POSTS = 4;

/** One request of a publisher, from its head to its answer. Behaves as a relay's connection does: answers when it is let go. */
export class Post {
  readonly id: number;
  readonly ledger: Ledger;
  /** Null for "at the next write" until the first byte. */
  seq: number | null;
  sent = 0;
  supersededMs: number | null = null;
  writer: ChannelWriter | null = null;
  over = false;
  readonly #world: World;
  #turns = 0;
  #waited = false;

  constructor(world: World, ledger: Ledger, seq: number | null) {
    this.id = world.nextId();
    this.#world = world;
    this.ledger = ledger;
    this.seq = seq;
  }

  /** The relay has taken the request. */
  attach(writer: ChannelWriter): void {
    this.writer = writer;
    writer.observer = {
      released: (why) => this.#released(why),
      turn: () => {
        this.#turns += 1;
      },
    };
    if (writer.released !== null) this.#released(writer.released);
  }

  /** Whether another publisher is in the middle of a chunk. */
  get mustWait(): boolean {
    const turn = this.seq === null ? null : (this.ledger.entries.get(this.seq)?.turn ?? null);
    return turn !== null && turn !== this;
  }

  /** Sends so many bytes, if it is its turn. */
  write(size: number, form: 'whole' | 'part' | 'frames'): void {
    if (this.mustWait) return;
    const nowMs = this.#world.nowMs;
    const bytes = this.#payload(size);
    const chunk = form === 'frames' ? framed(bytes) : Chunk.of(bytes);
    const cost = chunkCost(size, form);
    const { entry, refusal } = this.#predict(size, cost);
    if (refusal === null) {
      this.ledger.accept(entry, bytes, { nowMs, cost });
      this.sent += size;
      this.supersededMs = null;
      if (form === 'part') entry.turn = this;
      else if (entry.turn === this) entry.turn = null;
      if (form === 'part') this.writer!.writePart(chunk);
      else this.writer!.write(chunk);
      return;
    }
    this.#refused(refusal);
    expectRefusal(refusal, () => this.writer!.write(chunk));
  }

  /** Ends its body, with so many bytes more. */
  end(last: number): void {
    if (last > 0 && this.mustWait) return;
    const { ledger } = this;
    const nowMs = this.#world.nowMs;
    const chunk = last === 0 ? null : Chunk.of(this.#payload(last));
    const cost = chunkCost(last, 'whole');
    const { entry, refusal } = this.#predict(last, cost);
    if (refusal !== null) {
      this.#refused(refusal);
      expectRefusal(refusal, () => this.writer!.end(chunk));
      return;
    }
    if (chunk !== null) {
      ledger.accept(entry, chunk.payloads[0], { nowMs, cost });
      this.sent += last;
      this.supersededMs = null;
    }
    this.#finish();
    if (entry.bytes.length === 0 && ledger.inRight(entry.seq).length === 0) {
      ledger.pass(entry);
      ledger.lastWriteMs = nowMs;
    }
    const result = this.writer!.end(chunk);
    hold(result.seq === entry.seq && result.bytes === this.sent && result.channelEnded === ledger.channel.ended, 'wrong result of a post');
    hold(this.writer!.end() === result, 'a second end answers otherwise');
  }

  /** Its connection breaks. */
  die(): void {
    this.ledger.die(this);
    this.#finish();
    this.writer!.abort();
    this.writer!.abort();
  }

  /** It is where it should be, and was told what it should know. */
  verify(): void {
    const { writer } = this;
    hold(writer!.released === null, `writer ${this.id} is let go and was not told`);
    hold(writer!.seq === this.seq && writer!.bytes === this.sent, `writer ${this.id} is at ${writer!.seq}, should be at ${this.seq}`);
    hold(!this.ledger.channel.ended, `writer ${this.id} waits on a channel that has ended`);
    hold(this.seq === null || this.ledger.isHeld(this.seq), `writer ${this.id} waits on a segment that has left`);
    hold(writer!.mustWait === this.mustWait, `writer ${this.id} must${this.mustWait ? '' : ' not'} wait`);
    hold(!this.#waited || this.mustWait || this.#turns > 0, `writer ${this.id} was not told of its turn`);
    this.#waited = this.mustWait;
    this.#turns = 0;
  }

  /** What the rules say of so many more bytes; a post at the next write gets its number. */
  #predict(size: number, cost: number): { entry: Entry; refusal: string | null } {
    const { ledger } = this;
    this.seq ??= ledger.next;
    const entry = ledger.open(this.seq, this.#world.nowMs);
    const { segmentBytes, hubBytes } = ledger.limits;
    if (size === 0) return { entry, refusal: null };
    if (entry.bytes.length + size > segmentBytes) return { entry, refusal: 'payload_too_large' };
    if (this.#world.heldBytes + cost > hubBytes) return { entry, refusal: 'storage_full' };
    return { entry, refusal: null };
  }

  #refused(code: string): void {
    if (code === 'storage_full') this.ledger.counts.refusedForSpace += 1;
    this.ledger.die(this);
    this.#finish();
  }

  #released(why: Release): void {
    const { ledger } = this;
    hold(!this.over, `writer ${this.id} is let go twice`);
    const entry = this.seq === null ? undefined : ledger.entries.get(this.seq);
    switch (why) {
      case 'takeover': {
        const grace = ledger.limits.takeoverGraceMs;
        const due = this.supersededMs !== null && this.#world.nowMs - this.supersededMs >= grace;
        hold(this.sent === 0 && due && !this.mustWait, `writer ${this.id} gave way and need not`);
        ledger.counts.takeovers += 1;
        break;
      }
      case 'segment_closed':
        hold(this.sent === 0 && entry?.closed === true, `writer ${this.id} was let go of an open segment`);
        break;
      case 'evicted':
        hold(entry !== undefined && !ledger.channel.segments.some(({ seq }) => seq === this.seq), `writer ${this.id}: not evicted`);
        if (entry.bytes.length > 0 && (this.sent > 0 || this.supersededMs === null)) entry.overrun = true;
        break;
      case 'channel_ended':
        hold(ledger.channel.ended, `writer ${this.id} was told of an end that was none`);
    }
    this.#finish();
    const { seq, bytes, channelEnded } = this.writer!.end();
    hold((this.seq === null || seq === this.seq) && bytes === this.sent, `writer ${this.id} ends with a wrong result`);
    hold(channelEnded === ledger.channel.ended, `writer ${this.id} ends with a wrong end`);
  }

  #finish(): void {
    this.over = true;
    this.ledger.posts.delete(this);
    const entry = this.seq === null ? undefined : this.ledger.entries.get(this.seq);
    if (entry === undefined) return;
    if (entry.turn === this) entry.turn = null;
    if (entry.bytes.length > 0 && this.ledger.inRight(entry.seq).length === 0) entry.closed = true;
  }

  /** Bytes that no other post has at the same place. */
  #payload(size: number): Uint8Array {
    return Uint8Array.from({ length: size }, (_, index) => Math.imul(this.id * 7919 + this.sent + index + 1, 0x9e3779b1) >>> 24);
  }
}

/** A publisher: opens posts by its own numbering, and forgets those that are over. */
export class PublisherActor {
  readonly #world: World;
  readonly #kind: PublisherKind;
  readonly #ch: number;
  #posts: Post[] = [];
  #ledger: Ledger | null = null;
  #seq = 0;
  #latest = 0;

  constructor(world: World, kind: PublisherKind, ch: number) {
    this.#world = world;
    this.#kind = kind;
    this.#ch = ch;
  }

  /** Does what a step says. */
  step(step: Extract<Step, { pub: number }>): void {
    this.#posts = this.#posts.filter((post) => !post.over);
    if (step.op === 'post') return this.#post(step);
    const post = this.#posts[step.post % Math.max(1, this.#posts.length)];
    if (post === undefined) return;
    if (step.op === 'write') post.write(step.size, step.form);
    else if (step.op === 'end') post.end(step.last);
    else post.die();
  }

  #post({ at, by, reset }: Extract<Step, { op: 'post' }>): void {
    const ledger = this.#world.alive(this.#ch);
    if (ledger === undefined || this.#posts.length >= MAX_POSTS) return;
    if (ledger !== this.#ledger) [this.#ledger, this.#seq] = [ledger, ledger.next];
    const { next, floor, limits, channel } = ledger;
    if (this.#seq < next - 2 || this.#seq > next + 2) this.#seq = next;
    const seq = {
      next: this.#kind === 'append' ? NEXT : this.#seq,
      again: this.#latest,
      append: NEXT,
      behind: Math.max(0, next - by),
      ahead: next + by,
    }[at];
    const refusal = this.#refusal(ledger, seq);
    if (refusal !== null) return expectRefusal(refusal, () => channel.write(seq, { reset }));
    const nowMs = this.#world.nowMs;
    const post = new Post(this.#world, ledger, seq === NEXT ? null : seq);
    if (seq !== NEXT) {
      this.#latest = seq;
      if (at === 'next') this.#seq = seq + 1;
      ledger.open(seq, nowMs);
      for (const other of ledger.posts) if (other.seq === seq && other.sent === 0) other.supersededMs ??= nowMs;
    }
    ledger.posts.add(post);
    if (reset) {
      const below = seq === NEXT ? next : seq;
      for (const entry of ledger.entries.values()) if (!entry.gone && entry.seq < below) ledger.pass(entry);
    }
    this.#posts.push(post);
    post.attach(channel.write(seq, { reset }));
    hold(floor <= ledger.floor && limits === ledger.limits, 'the floor goes down');
  }

  #refusal({ channel, floor, next, limits, posts }: Ledger, seq: number): string | null {
    if (channel.draining) return 'channel_closed';
    if (seq !== NEXT && (seq < floor || seq > next + limits.reachSegments)) return 'invalid_request';
    return posts.size >= limits.maxWriters ? 'limit_exceeded' : null;
  }
}

/** What a chunk counts for: as it came, with its framing, and the objects that hold it. A frame of less than 16 bytes has five more around them. */
function chunkCost(size: number, form: 'whole' | 'part' | 'frames'): number {
  const frames = form === 'frames' ? Math.min(2, size) : 0;
  return size + frames * 5 + CHUNK_OVERHEAD_BYTES;
}

/** A chunk of two frames where there are two bytes. */
function framed(bytes: Uint8Array): Chunk {
  const middle = bytes.length >> 1;
  const frames = [bytes.subarray(0, middle), bytes.subarray(middle)]
    .filter(({ length }) => length > 0)
    .map((part) => Chunk.of(part).framed);
  return Chunk.framed(Uint8Array.from(frames.flatMap((frame) => [...frame])), bytes.length);
}

/** @throws Violation unless it throws a RunnelError of that code. */
export function expectRefusal(code: string, call: () => unknown): void {
  let thrown: unknown;
  try {
    call();
  } catch (error) {
    thrown = error;
  }
  hold((thrown as { code?: string } | undefined)?.code === code, `should be refused with ${code}, got ${String(thrown)}`);
}
