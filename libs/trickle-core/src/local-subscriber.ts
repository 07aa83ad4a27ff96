import { RunnelError } from '@runnel/errors';
import type { Channel } from './channel.ts';
import type { Hub } from './hub.ts';
import { gapError } from './gap.ts';
import type { Gap, OnGap, ReadSegment, Subscriber } from './port.ts';
import type { SegmentReader } from './reader.ts';
import { CURRENT, NEXT } from './sequence.ts';

/** Where a subscriber begins: at the segment being written, at the next one, or at a number. */
export type SubscribeStart = 'current' | 'next' | number;

/** The sequence number or the relative target that a start stands for. */
export function startTarget(start: SubscribeStart): number {
  if (start === 'current') return CURRENT;
  return start === 'next' ? NEXT : start;
}

/** Reads a channel of a hub in the same process. `onGap` is `jump` if absent. */
export function localSubscriber(hub: Hub, channelName: string, options: { start: SubscribeStart; onGap?: OnGap }): Subscriber {
  return new LocalSubscriber(hub, channelName, options);
}

class LocalSubscriber implements Subscriber {
  readonly #hub: Hub;
  readonly #name: string;
  readonly #closing = new AbortController();
  /** Handed out, read or not. */
  readonly #readers = new Set<SegmentReader>();
  readonly #onGap: OnGap;
  #channel: Channel | undefined;
  #target: number;
  #failed: RunnelError | null = null;
  #ended = false;

  constructor(hub: Hub, name: string, options: { start: SubscribeStart; onGap?: OnGap }) {
    this.#hub = hub;
    this.#name = name;
    this.#target = startTarget(options.start);
    this.#onGap = options.onGap ?? 'jump';
  }

  async next(signal?: AbortSignal): Promise<ReadSegment | Gap | null> {
    signal?.throwIfAborted();
    if (this.#ended || this.#closing.signal.aborted) return null;
    if (this.#failed !== null) throw this.#failed;
    this.#channel ??= this.#hub.get(this.#name);
    if (this.#channel === undefined) throw new RunnelError('channel_not_found', { message: 'There is no such channel.' });
    const answer = this.#channel.read(this.#target);
    if (answer.kind === 'ended') return this.#end();
    if (answer.kind === 'gone') return this.#gap(answer.seq, answer.latest);
    const { reader } = answer;
    this.#readers.add(reader);
    const signals = [this.#closing.signal, signal];
    while (!reader.ready && !isAborted(signals)) await nextChange(reader, signals);
    // Nobody will read this one: an empty segment has nothing to read, an aborted wait hands nothing out.
    if (reader.segment.bytes === 0 || isAborted(signals)) this.#leave(reader);
    signal?.throwIfAborted();
    if (this.#closing.signal.aborted) return null;
    if (reader.end === 'missed') return this.#gap(reader.segment.seq, this.#channel.nextWrite);
    // The segment that was waited for will not come any more; one that was merely ended empty is handed out as such.
    if (reader.segment.bytes === 0 && this.#channel.ended) return this.#end();
    this.#target = reader.segment.seq + 1;
    return { kind: 'segment', seq: reader.segment.seq, bytes: this.#bytesOf(reader) };
  }

  async close(): Promise<void> {
    this.#closing.abort();
    for (const reader of this.#readers) this.#leave(reader);
  }

  async *#bytesOf(reader: SegmentReader): AsyncGenerator<Uint8Array> {
    const closing = this.#closing.signal;
    try {
      while (true) {
        const chunk = reader.next();
        if (chunk !== null) yield* chunk.payloads;
        else if (reader.end !== null || closing.aborted) break;
        else await nextChange(reader, [closing]);
      }
      // Only a segment that its publisher has closed is whole; everything else must not be taken for it (Trickle spec, 14.3).
      if (reader.end === 'closed' || reader.segment.bytes === 0) return;
      const why = reader.end === 'evicted' ? 'left the window while it was read' : 'was cut by its publisher or by the closing subscriber';
      throw new RunnelError('segment_cut', { message: `Segment ${reader.segment.seq} ${why}.` });
    } finally {
      this.#leave(reader);
    }
  }

  /** As a 470 over HTTP: what was missed is told once, and reading goes on at the live edge (Trickle spec, 14.1). */
  #gap(from: number, to: number): Gap {
    this.#target = to;
    const gap: Gap = { kind: 'gap', from, to, reason: 'window' };
    if (this.#onGap === 'jump') return gap;
    this.#failed = gapError(gap);
    throw this.#failed;
  }

  #leave(reader: SegmentReader): void {
    reader.close();
    this.#readers.delete(reader);
  }

  #end(): null {
    this.#ended = true;
    return null;
  }
}

/** Resolves at the reader's next change, or when a signal aborts. */
async function nextChange(reader: SegmentReader, signals: readonly (AbortSignal | undefined)[]): Promise<void> {
  if (isAborted(signals)) return;
  await new Promise<void>((resolve) => {
    const done = () => {
      reader.observer = null;
      for (const signal of signals) signal?.removeEventListener('abort', done);
      resolve();
    };
    reader.observer = { segmentChanged: done };
    for (const signal of signals) signal?.addEventListener('abort', done, { once: true });
  });
}

function isAborted(signals: readonly (AbortSignal | undefined)[]): boolean {
  return signals.some((signal) => signal?.aborted === true);
}
