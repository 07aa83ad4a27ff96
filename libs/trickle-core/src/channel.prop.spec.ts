import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import {
  type Channel,
  type ChannelWriter,
  CHUNK_OVERHEAD_BYTES,
  createHub,
  type Hub,
  NEXT,
  type SegmentReader,
  type TrickleLimits,
} from './index.ts';

/** One step of a run. `who` picks among the writers or readers there are, `at` is a distance from the next write. */
type Step =
  | { do: 'open'; at: number; reset: boolean }
  | { do: 'append' }
  | { do: 'write'; who: number; size: number }
  | { do: 'end' | 'abort' | 'take' | 'leave'; who: number }
  | { do: 'read'; at: number }
  | { do: 'delete'; at: number }
  | { do: 'sleep'; ms: number };

const who = fc.nat(7);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('open' as const), at: fc.integer({ min: -7, max: 3 }), reset: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('append' as const) }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('write' as const), who, size: fc.integer({ min: 1, max: 9 }) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constantFrom('end' as const, 'abort' as const, 'leave' as const), who }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('take' as const), who }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('read' as const), at: fc.integer({ min: -8, max: 2 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), at: fc.integer({ min: -7, max: 1 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('sleep' as const), ms: fc.integer({ min: 1, max: 900 }) }) },
);

/** What the oracle knows of a sequence number: everything that was accepted, and whether a publisher died over it. */
interface Known {
  bytes: number[];
  firstMs: number;
  cut: boolean;
}

/** Runs steps against a channel and holds every answer against a list of what was accepted. */
class Run {
  readonly hub: Hub;
  readonly channel: Channel;
  #nowMs = 5000;
  #next = 0;
  #nextByte = 0;
  readonly #known = new Map<number, Known>();
  readonly #writers: ChannelWriter[] = [];
  readonly #readers: { reader: SegmentReader; got: number[] }[] = [];
  readonly #limits: Partial<TrickleLimits>;

  constructor(limits: Partial<TrickleLimits>) {
    this.#limits = limits;
    this.hub = createHub({ clock: () => this.#nowMs, limits });
    this.channel = this.hub.create({ name: 'c', mimeType: 'x' });
  }

  step(step: Step): void {
    switch (step.do) {
      case 'open':
        this.#open(Math.max(0, this.#next + step.at), step.reset);
        break;
      case 'append':
        this.#writers.push(this.channel.write(NEXT));
        break;
      case 'write':
        this.#write(pick(this.#writers, step.who), step.size);
        break;
      case 'end':
        this.#end(remove(this.#writers, step.who));
        break;
      case 'abort':
        this.#abort(remove(this.#writers, step.who));
        break;
      case 'read':
        this.#read(Math.max(0, this.#next + step.at));
        break;
      case 'take':
        this.#take(pick(this.#readers, step.who));
        break;
      case 'leave':
        remove(this.#readers, step.who)?.reader.close();
        break;
      case 'delete':
        if (this.channel.closeSegment(Math.max(0, this.#next + step.at))) this.#advance(Math.max(0, this.#next + step.at));
        break;
      case 'sleep':
        this.hub.sweep((this.#nowMs += step.ms));
        break;
    }
    // Reset and releases may move the next write past segments that stayed empty.
    expect(this.channel.nextWrite).toBeGreaterThanOrEqual(this.#next);
    this.#next = this.channel.nextWrite;
    expect(this.channel.heldBytes).toBeLessThanOrEqual(this.#limits.windowBytes ?? Number.POSITIVE_INFINITY);
    expect(this.hub.heldBytes).toBe(this.channel.heldBytes);
  }

  /** The end of the channel: every reader ends, and none is told "whole" of what is not. */
  finish(): void {
    this.hub.end('c');
    for (const entry of this.#readers) {
      this.#take(entry);
      expect(entry.reader.end).not.toBeNull();
    }
    for (const writer of this.#writers) expect(writer.end().channelEnded).toBe(true);
    for (const { reader } of this.#readers) reader.close();
    expect([this.channel.writers, this.channel.readers, this.hub.size, this.hub.heldBytes]).toEqual([0, 0, 0, 0]);
  }

  #open(seq: number, reset: boolean): void {
    try {
      this.#writers.push(this.channel.write(seq, { reset }));
    } catch (error) {
      expect(error).toMatchObject({ code: 'invalid_request' });
      expect(this.#mayBeGone(seq)).toBe(true);
    }
  }

  #write(writer: ChannelWriter | undefined, size: number): void {
    if (writer === undefined) return;
    const chunk = Array.from({ length: size }, () => (this.#nextByte += 1) % 256);
    try {
      writer.write(Uint8Array.from(chunk));
    } catch (error) {
      const { code } = error as { code: string };
      expect(['segment_gone', 'payload_too_large']).toContain(code);
      if (code === 'payload_too_large') this.#abort(remove(this.#writers, this.#writers.indexOf(writer)));
      else expect(writer.released).not.toBeNull();
      return;
    }
    const seq = writer.seq!;
    const known = this.#known.get(seq) ?? { bytes: [], firstMs: this.#nowMs, cut: false };
    known.bytes.push(...chunk);
    this.#known.set(seq, known);
    this.#advance(seq);
  }

  #end(writer: ChannelWriter | undefined): void {
    if (writer === undefined) return;
    const { seq, channelEnded } = writer.end();
    expect([seq, channelEnded]).toEqual([writer.seq, false]);
    if (writer.bytes === 0 || this.#mayBeGone(seq)) return;
    const answer = this.channel.read(seq);
    expect(answer.kind).toBe('reader');
    if (answer.kind === 'reader') answer.reader.close();
  }

  #abort(writer: ChannelWriter | undefined): void {
    if (writer === undefined) return;
    writer.abort();
    this.#markCut(writer);
  }

  #markCut(writer: ChannelWriter): void {
    if (writer.bytes > 0) this.#known.get(writer.seq!)!.cut = true;
  }

  #read(seq: number): void {
    const answer = this.channel.read(seq);
    if (answer.kind === 'reader') {
      expect(answer.reader.segment.seq).toBe(seq);
      this.#readers.push({ reader: answer.reader, got: [] });
      return;
    }
    expect(answer).toEqual({ kind: 'gone', seq, latest: this.#next });
    expect(this.#mayBeGone(seq)).toBe(true);
    expect(seq).not.toBe(this.#next);
  }

  #take(entry: { reader: SegmentReader; got: number[] } | undefined): void {
    if (entry === undefined) return;
    const { reader, got } = entry;
    for (let chunk = reader.next(); chunk !== null; chunk = reader.next()) for (const payload of chunk.payloads) got.push(...payload);
    const { bytes, cut } = this.#known.get(reader.segment.seq) ?? { bytes: [], cut: false };
    expect(got).toEqual(bytes.slice(0, got.length));
    if (reader.end !== 'evicted') expect(got.length).toBe(bytes.length);
    if (cut) expect(reader.end).not.toBe('closed');
    else expect(reader.end).not.toBe('cut');
  }

  #advance(seq: number): void {
    this.#next = Math.max(this.#next, seq + 1);
    expect(this.channel.nextWrite).toBe(this.#next);
  }

  /** Whether the rules allow that a number cannot be read: nothing came, or it is old in count and in time, or the caps are small. */
  #mayBeGone(seq: number): boolean {
    const known = this.#known.get(seq);
    if (known === undefined || this.#limits.windowBytes !== undefined) return true;
    return seq < this.#next - 5 && this.#nowMs - known.firstMs > 1000;
  }
}

function pick<T>(items: T[], who: number): T | undefined {
  return items[who % Math.max(1, items.length)];
}

function remove<T>(items: T[], who: number): T | undefined {
  return items.splice(who % Math.max(1, items.length), 1)[0];
}

function runAll(steps: Step[], limits: Partial<TrickleLimits>): void {
  const run = new Run(limits);
  for (const one of steps) run.step(one);
  run.finish();
}

describe('a channel under random writers, readers, resets, evictions and ends', () => {
  it('gives bytes in order or not at all, loses nothing within the window, and never calls a cut segment whole', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: 'max' }), (steps) => runAll(steps, {})),
      { numRuns: 600 },
    );
  });

  it('stays within its bytes', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: 'max' }), (steps) =>
        runAll(steps, { windowBytes: 4 * (CHUNK_OVERHEAD_BYTES + 9), segmentBytes: 20 }),
      ),
      { numRuns: 400 },
    );
  });
});
