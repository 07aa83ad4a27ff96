import { RunnelError } from '@runnel/errors';
import type { ChannelHub, ChannelOptions, ReadAnswer } from './channel-contract.ts';
import type { Chunk } from './chunk.ts';
import { createCounters, type HubCounters } from './counters.ts';
import { Followers } from './followers.ts';
import { type ChannelEventKind, ChannelHistory } from './history.ts';
import { Listeners } from './listeners.ts';
import { type ReaderHost, SegmentReader } from './reader.ts';
import { SlabPool } from './slab.ts';
import type { Segment } from './segment.ts';
import { CURRENT, NEXT } from './sequence.ts';
import { ChannelWriter, type Release, type WriteResult, type WriterHost } from './writer.ts';
import { Window } from './window.ts';

/** A channel that holds less has no slabs: most carry little, and a slab each would be dear. */
const MIN_POOLED_BYTES = 32 * 1024;

/** A channel without a write for this long gives back the slabs that it keeps for later. */
const POOL_IDLE_MS = 2000;

/**
 * A named, ordered stream of segments (Trickle spec, Model). Made by a hub; never waits and never throws on behalf of a reader:
 * whoever waits listens to a segment, to a writer's release, or to the end.
 */
export class Channel implements WriterHost, ReaderHost {
  readonly name: string;
  readonly mimeType: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly idleMs: number | null;
  readonly firstSeq: number;
  readonly readOnly: boolean;
  readonly createdMs: number;
  /** Number after the newest segment that has received a byte or was ended empty. Never goes back. */
  nextWrite: number;
  /** Time of the latest write; at first the creation. */
  lastWriteMs: number;
  ended = false;
  /** Of this channel alone. */
  readonly counters = createCounters();
  /** What happened lately. */
  readonly history = new ChannelHistory();
  readonly #hub: ChannelHub;
  readonly #window: Window<ChannelWriter>;
  /** Made when the channel is a busy one. */
  #memory: SlabPool | null = null;
  #writers = 0;
  /** Of these, the ones whose segment is not decided. */
  readonly #unbound = new Set<ChannelWriter>();
  readonly #ends = new Listeners();
  readonly #followers = new Followers();
  #readers = 0;
  /** While its end waits for followers. */
  #drain: { readonly untilMs: number; readonly recentMs: number } | null = null;
  #uncounted = false;

  constructor(options: ChannelOptions, hub: ChannelHub) {
    this.name = options.name;
    this.mimeType = options.mimeType;
    this.params = options.params ?? {};
    this.readOnly = options.readOnly ?? false;
    this.firstSeq = options.firstSeq ?? 0;
    this.nextWrite = this.firstSeq;
    this.#hub = hub;
    this.#window = new Window(this.nextWrite);
    this.createdMs = hub.clock();
    this.lastWriteMs = this.createdMs;
    this.history.note(this.createdMs, 'created', this.firstSeq, this.mimeType);
    // Names with a leading underscore are the relay's own channels.
    this.idleMs = options.idleMs === undefined ? (options.name.startsWith('_') ? null : hub.limits.idleMs) : options.idleMs;
  }

  /** Time now, by the hub's clock. */
  get nowMs(): number {
    return this.#hub.clock();
  }

  /** Readers attached now. */
  get readers(): number {
    return this.#readers;
  }

  /** Writers attached now, those that wait for their first byte included. */
  get writers(): number {
    return this.#writers;
  }

  /** Whether its end waits for a reader that is behind; it takes no new writers then. */
  get draining(): boolean {
    return this.#drain !== null;
  }

  /** Memory that its segments are counted with. */
  get heldBytes(): number {
    return this.#window.cost;
  }

  /** Segments held, by ascending sequence number, those included that wait for their first byte. */
  get segments(): readonly Segment[] {
    return this.#window.segments;
  }

  /** Lowest sequence number that can be read; the next write when there is none. */
  get oldest(): number {
    const first = this.#window.segments[0];
    return first === undefined ? this.nextWrite : Math.min(first.seq, this.nextWrite);
  }

  /**
   * Opens a segment for writing, or writes on to it. `seq` is a number, or NEXT for the next write at the moment of the first byte.
   * A writer of the same segment that has sent nothing yet gives way. `reset` closes all older segments (Trickle spec, Publish).
   * @throws RunnelError `invalid_request` (out of reach), `limit_exceeded`, `channel_closed`.
   */
  write(seq: number, options: { reset?: boolean } = {}): ChannelWriter {
    if (this.ended || this.draining) throw this.#closedError();
    const { reachSegments, maxWriters } = this.#hub.limits;
    if (seq !== NEXT && (seq < this.#window.floor || seq > this.nextWrite + reachSegments)) {
      this.#note('refused', seq, 'out of reach');
      const reach = `${this.#window.floor} to ${this.nextWrite + reachSegments}`;
      throw new RunnelError('invalid_request', { message: `Sequence number ${seq} is out of reach: this channel takes ${reach}.` });
    }
    if (this.#writers >= maxWriters) {
      this.#note('refused', seq, 'too many writers');
      throw new RunnelError('limit_exceeded', { message: `The channel has ${maxWriters} writers already.` });
    }
    const nowMs = this.#hub.clock();
    const segment = seq === NEXT ? null : this.#window.open(seq, nowMs);
    const writer = new ChannelWriter(this, segment);
    if (segment !== null) {
      if (segment.writers.size > 0) this.#supersede(segment, nowMs);
      segment.writers.add(writer);
    } else this.#unbound.add(writer);
    this.#writers += 1;
    if (options.reset === true) this.#reset(seq === NEXT ? this.nextWrite : seq);
    this.#evict(nowMs);
    return writer;
  }

  /**
   * A position at the beginning of a segment: a number, NEXT, CURRENT, or further back from the live edge. The next write may be read
   * before it is written (Trickle spec, Subscribe). Of a channel that has ended, whoever still holds it can read what it held.
   * @throws RunnelError `limit_exceeded`.
   */
  read(target: number): ReadAnswer {
    const seq = this.resolve(target);
    const latest = this.nextWrite;
    if (this.ended && !this.#window.get(seq)?.bytes) return { kind: 'ended', seq, latest };
    if (this.#readers >= this.#hub.limits.maxReaders) {
      throw new RunnelError('limit_exceeded', { message: `The channel has ${this.#hub.limits.maxReaders} readers already.` });
    }
    const nowMs = this.#hub.clock();
    const ahead = !this.ended && (seq === latest || (seq === 1 && latest === 0));
    const segment = ahead ? this.#window.open(seq, nowMs) : this.#window.get(seq);
    const before = target < 0 ? null : this.#window.get(seq - 1);
    if (segment === undefined) {
      this.#followers.missed(before, latest, nowMs);
      this.#count('gaps', 1);
      this.#note('gap', seq, 'not in the window');
      return { kind: 'gone', seq, latest };
    }
    this.#readers += 1;
    if (this.#uncounted) this.#recount();
    const reader = new SegmentReader(segment, latest, this);
    this.#followers.came(segment, before);
    this.#settleDrain(nowMs);
    return { kind: 'reader', reader };
  }

  /** The sequence number that a target stands for now. */
  resolve(target: number): number {
    if (target >= 0) return target;
    if (target === NEXT) return this.nextWrite;
    const back = Math.max(this.firstSeq, this.nextWrite + target - NEXT);
    return target === CURRENT ? back : Math.max(back, this.oldest);
  }

  /**
   * Goes on at a number because what is missing below it was lost on the way to this mirror. What was received stays readable; who
   * waits for a segment below it learns that it was `missed`. Segments that are being written go on.
   */
  skipTo(seq: number): void {
    if (seq > this.nextWrite) this.#note('skipped', this.nextWrite, `to ${seq}: lost on the way`);
    this.nextWrite = Math.max(this.nextWrite, seq);
    const nowMs = this.#hub.clock();
    const missed = this.#window.segments.filter((one) => one.seq < seq && one.bytes === 0 && one.end === null && one.writers.size === 0);
    for (const segment of missed) {
      this.#count('gaps', segment.readers.size);
      segment.miss(nowMs);
    }
    for (const segment of missed) segment.notify();
  }

  /** Closes one segment; writers that wait on it are let go. False when it is not in the window. */
  closeSegment(seq: number): boolean {
    const segment = this.#window.get(seq);
    if (segment === undefined) return false;
    this.#closeAll([segment]);
    return true;
  }

  /**
   * Ends the channel: readers and writers are let go, what attached readers have not taken stays theirs. With `drainMs`, the end waits
   * until everyone who follows has come to the next write, at most that long (Trickle spec, End).
   */
  end(options: { drainMs?: number } = {}): void {
    if (this.ended) return;
    const nowMs = this.#hub.clock();
    const recentMs = options.drainMs ?? 0;
    if (recentMs === 0 || !this.#areBehind(nowMs, recentMs)) return this.#finish();
    if (this.#drain !== null) return;
    this.#note('draining', this.nextWrite, `${this.#readers} readers`);
    this.#drain = { untilMs: nowMs + recentMs, recentMs };
  }

  /** Calls the listener once the channel has ended. */
  onEnd(listener: () => void): () => void {
    return this.#ends.add(listener);
  }

  /** Lets go of what time alone ends: old segments, writers taken over, a drain, the idle channel itself. */
  sweep(nowMs: number): void {
    for (const segment of this.#window.segments) if (segment.writers.size > 0) this.#sweepWriters(segment, nowMs);
    this.#evict(nowMs);
    if (nowMs - this.lastWriteMs > POOL_IDLE_MS) this.#memory?.trim();
    this.#settleDrain(nowMs);
    if (this.idleMs !== null && nowMs - this.lastWriteMs > this.idleMs) this.#finish();
  }

  /** For its writers alone. */
  writeTo(writer: ChannelWriter, chunk: Chunk, part: 'whole' | 'part'): void {
    const nowMs = this.#hub.clock();
    const segment = this.#accept(writer, chunk, nowMs);
    if (part === 'part') segment.turn = writer;
    segment.notify();
    if (part === 'whole') this.#yieldTurn(segment, writer);
    this.#evict(nowMs);
  }

  /** For its writers alone. */
  endOf(writer: ChannelWriter, last: Chunk | null): WriteResult {
    const nowMs = this.#hub.clock();
    if (last !== null) this.#accept(writer, last, nowMs);
    if (writer.segment === null && this.ended) return { seq: this.nextWrite, bytes: 0, channelEnded: true };
    const segment = writer.segment ?? this.#bind(writer, nowMs);
    this.#detach(writer);
    const held = this.#isHeld(segment);
    if (segment.bytes === 0 && !held && !this.ended && writer.released === null) {
      this.lastWriteMs = nowMs;
      this.#advance(segment);
      this.#close(segment);
    } else if (segment.bytes > 0 && !held && segment.end === null) this.#close(segment);
    else if (last !== null) segment.notify();
    if (last !== null) this.#evict(nowMs);
    return { seq: segment.seq, bytes: writer.bytes, channelEnded: this.ended };
  }

  /** For its writers alone. */
  abortOf(writer: ChannelWriter): void {
    const { segment } = writer;
    this.#detach(writer);
    if (segment === null) return;
    if (writer.bytes > 0 && !segment.damaged && segment.outcome === null) {
      if (this.#cut(segment)) segment.notify();
    }
    if (segment.bytes > 0 && !this.#isHeld(segment)) this.#close(segment);
  }

  /** For its readers alone. */
  handedOut(bytes: number): void {
    this.counters.bytesOut += bytes;
    this.#hub.counters.bytesOut += bytes;
  }

  /** For its readers alone. */
  readerLeft(reader: SegmentReader): void {
    const nowMs = this.#hub.clock();
    this.#readers -= 1;
    this.#followers.left(reader.segment, { finished: reader.finished }, nowMs);
    this.#settleDrain(nowMs);
    if (this.ended && this.#readers === 0) this.#uncount();
  }

  /** Takes a chunk into its segment and tells nobody yet. */
  #accept(writer: ChannelWriter, chunk: Chunk, nowMs: number): Segment<ChannelWriter> {
    if (this.ended) throw this.#closedError();
    const segment = writer.segment ?? this.#bind(writer, nowMs);
    if (segment.end === 'evicted' || writer.released !== null) {
      throw new RunnelError('segment_gone', { message: `Segment ${segment.seq} takes no more bytes from this writer.` });
    }
    const { segmentBytes, hubBytes } = this.#hub.limits;
    if (segment.bytes + chunk.size > segmentBytes) {
      this.#note('refused', segment.seq, 'segment too large');
      writer.abort();
      throw new RunnelError('payload_too_large', { message: `A segment holds at most ${segmentBytes} bytes.` });
    }
    if (this.#hub.heldBytes + chunk.cost > hubBytes) {
      this.#count('refusedForSpace', 1);
      this.#note('refused', segment.seq, 'no space in the relay');
      writer.abort();
      throw new RunnelError('storage_full', { message: `The relay holds ${hubBytes} bytes of segments at most.` });
    }
    writer.supersededMs = null;
    writer.bytes += chunk.size;
    this.#window.cost += chunk.cost;
    this.#hub.heldBytes += chunk.cost;
    this.lastWriteMs = nowMs;
    this.counters.bytesIn += chunk.size;
    this.#hub.counters.bytesIn += chunk.size;
    this.#advance(segment);
    if (this.#window.cost > MIN_POOLED_BYTES) chunk.moveTo((this.#memory ??= new SlabPool()));
    segment.append(chunk, nowMs);
    return segment;
  }

  /** Those who wait for their first byte give way to one who comes now. */
  #supersede(segment: Segment<ChannelWriter>, nowMs: number): void {
    for (const other of segment.writers) if (other.bytes === 0) other.supersededMs ??= nowMs;
  }

  /** Whether a writer in its own right keeps the segment open. */
  #isHeld(segment: Segment<ChannelWriter>): boolean {
    if (segment.writers.size === 0) return false;
    for (const writer of segment.writers) if (writer.supersededMs === null) return true;
    return false;
  }

  #bind(writer: ChannelWriter, nowMs: number): Segment<ChannelWriter> {
    const segment = this.#window.open(this.nextWrite, nowMs);
    if (this.#unbound.delete(writer)) segment.writers.add(writer);
    writer.segment = segment;
    return segment;
  }

  #detach(writer: ChannelWriter): void {
    const { segment } = writer;
    if (segment === null ? !this.#unbound.delete(writer) : !segment.writers.delete(writer)) return;
    this.#writers -= 1;
    if (segment !== null) this.#yieldTurn(segment, writer);
  }

  #yieldTurn(segment: Segment<ChannelWriter>, writer: ChannelWriter): void {
    if (segment.turn !== writer) return;
    segment.turn = null;
    for (const other of segment.writers) {
      // One that goes on may begin a chunk of its own, and the rest wait again.
      if (segment.turn !== null) return;
      other.observer?.turn();
    }
  }

  /** Returns whether a segment that was closed is a cut one now. */
  #cut(segment: Segment): boolean {
    this.#count('cuts', 1);
    this.#note('cut', segment.seq, `after ${segment.bytes} bytes`);
    return segment.damage();
  }

  #close(segment: Segment): void {
    if (segment.end !== null) return;
    // Ended from outside in the middle of a frame: on the wire there is no whole end of that.
    if (segment.open && !segment.damaged) this.#cut(segment);
    segment.close(this.#hub.clock());
    segment.notify();
  }

  #advance(segment: Segment): void {
    if (segment.bytes === 0 && segment.end === null) {
      this.counters.segments += 1;
      this.#hub.counters.segments += 1;
    }
    if (segment.seq > this.nextWrite) this.#note('skipped', this.nextWrite, `to ${segment.seq}`);
    this.nextWrite = Math.max(this.nextWrite, segment.seq + 1);
  }

  #reset(seq: number): void {
    this.#note('reset', seq, '');
    this.#closeAll(this.#window.segments.filter((segment) => segment.seq < seq));
  }

  /** Closes segments from outside. The next write moves first: whoever is told may at once ask for what follows. */
  #closeAll(segments: readonly Segment<ChannelWriter>[]): void {
    for (const segment of segments) {
      if (segment.end === null) this.#note('closed', segment.seq, `${segment.bytes} bytes`);
      this.#advance(segment);
    }
    for (const segment of segments) {
      this.#letGo(segment, 'segment_closed', { emptyOnly: true });
      this.#close(segment);
    }
  }

  #evict(nowMs: number): void {
    const left = this.#window.evict(this.nextWrite, nowMs, this.#hub.limits);
    for (const segment of left) {
      segment.evict(nowMs);
      this.#count('evictions', 1);
      this.#countLost(segment);
      if (segment.outcome === 'evicted' && segment.bytes > 0) this.#note('overrun', segment.seq, `after ${segment.bytes} bytes`);
      if (!this.#uncounted) this.#hub.heldBytes -= segment.cost;
      this.history.keep(segment);
      this.#followers.evicted(segment, nowMs);
    }
    // All books are kept before anybody is told: a reader that leaves now may be the last that the end of the channel waits for. Writers
    // first, so that they learn what became of their bytes and not just of that end.
    for (const segment of left) if (segment.writers.size > 0) this.#letGo(segment, 'evicted', { emptyOnly: false });
    for (const segment of left) segment.notify();
  }

  #countLost(segment: Segment): void {
    if (segment.readers.size === 0) return;
    for (const reader of segment.readers) if (reader.lost) segment.readersLost += 1;
    if (segment.readersLost === 0) return;
    this.#count('readersLost', segment.readersLost);
    this.#note('reader_lost', segment.seq, `${segment.readersLost} readers`);
  }

  #letGo(segment: Segment<ChannelWriter>, why: Release, options: { emptyOnly: boolean }): void {
    for (const writer of segment.writers) {
      if (options.emptyOnly && writer.bytes > 0) continue;
      this.#detach(writer);
      writer.release(why);
    }
  }

  #sweepWriters(segment: Segment<ChannelWriter>, nowMs: number): void {
    for (const writer of segment.writers) {
      // One that has to wait for another's chunk may have sent bytes that nobody could take yet.
      if (writer.supersededMs === null || writer.mustWait || nowMs - writer.supersededMs < this.#hub.limits.takeoverGraceMs) continue;
      this.#detach(writer);
      this.#count('takeovers', 1);
      this.#note('takeover', segment.seq, '');
      writer.release('takeover');
    }
  }

  #settleDrain(nowMs: number): void {
    if (this.#drain === null || this.ended) return;
    if (nowMs >= this.#drain.untilMs || !this.#areBehind(nowMs, this.#drain.recentMs)) this.#finish();
  }

  #areBehind(nowMs: number, recentMs: number): boolean {
    return this.#followers.areBehind(this.#window.segments, this.nextWrite, { nowMs, recentMs });
  }

  #finish(): void {
    if (this.ended) return;
    this.ended = true;
    this.#note('ended', this.nextWrite, `${this.#readers} readers, ${this.#writers} writers`);
    for (const segment of this.#window.segments) this.#letGo(segment, 'channel_ended', { emptyOnly: false });
    for (const writer of this.#unbound) {
      this.#detach(writer);
      writer.release('channel_ended');
    }
    for (const segment of this.#window.segments) this.#close(segment);
    if (this.#readers === 0) this.#uncount();
    this.#ends.notify();
  }

  /** What an ended channel holds is garbage once nobody reads it. */
  #uncount(): void {
    if (this.#uncounted) return;
    this.#uncounted = true;
    this.#hub.heldBytes -= this.#window.cost;
  }

  #recount(): void {
    this.#uncounted = false;
    this.#hub.heldBytes += this.#window.cost;
  }

  #note(kind: ChannelEventKind, seq: number, detail: string): void {
    this.history.note(this.#hub.clock(), kind, seq, detail);
  }

  #count(key: keyof HubCounters, by: number): void {
    this.counters[key] += by;
    this.#hub.counters[key] += by;
  }

  #closedError(): RunnelError {
    return new RunnelError('channel_closed', { message: 'The channel has ended.' });
  }
}
