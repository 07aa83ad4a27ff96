import type { TrickleLimits } from './limits.ts';
import { type AttachedWriter, Segment } from './segment.ts';

/** Segments at the live edge that are looked at before a search. */
const NEWEST = 3;

const NONE: readonly never[] = [];

/** The segments that a channel holds, by ascending sequence number, preconnected ones included. */
export class Window<Writer extends AttachedWriter> {
  /** Memory that the segments held are counted with. */
  cost = 0;
  /** Sequence numbers below this have left and do not come back. */
  floor: number;
  #segments: Segment<Writer>[] = [];

  constructor(firstSeq: number) {
    this.floor = firstSeq;
  }

  /** Segments by ascending sequence number. Not to be changed while it is walked. */
  get segments(): readonly Segment<Writer>[] {
    return this.#segments;
  }

  /** The segment of that number, or undefined when it is not kept. */
  get(seq: number): Segment<Writer> | undefined {
    const index = this.#lowerBound(seq);
    const found = this.#segments[index];
    return found?.seq === seq ? found : undefined;
  }

  /** The segment of a sequence number at or above the floor, made when there is none. */
  open(seq: number, nowMs: number): Segment<Writer> {
    const index = this.#lowerBound(seq);
    const found = this.#segments[index];
    if (found?.seq === seq) return found;
    const segment = new Segment<Writer>(seq, nowMs);
    this.#segments.splice(index, 0, segment);
    return segment;
  }

  /**
   * Takes out, oldest first, what is beyond count and age, and what is beyond the caps.
   * Returns what was taken out, still to be told (Trickle spec, Window).
   */
  evict(nextWrite: number, nowMs: number, limits: TrickleLimits): readonly Segment<Writer>[] {
    let out: Segment<Writer>[] | null = null;
    while (this.#segments.length > 0) {
      const oldest = this.#segments[0];
      const ageMs = nowMs - (oldest.firstByteMs ?? oldest.createdMs);
      const outdated = oldest.seq < nextWrite - limits.windowSegments && ageMs > limits.windowAgeMs;
      if (!outdated && this.cost <= limits.windowBytes && !this.#areTooMany(nextWrite, limits)) break;
      this.#segments.shift();
      this.cost -= oldest.cost;
      this.floor = oldest.seq + 1;
      out ??= [];
      out.push(oldest);
    }
    return out ?? NONE;
  }

  /**
   * Those that are still to be written do not count, nor leave before their turn: their numbers could not be written any more. The reach of
   * publishers bounds how many they are.
   */
  #areTooMany(nextWrite: number, { maxSegments }: TrickleLimits): boolean {
    return this.#segments.length > maxSegments && this.#lowerBound(nextWrite) > maxSegments;
  }

  /** Index of the first segment at or above a sequence number. */
  #lowerBound(seq: number): number {
    let low = 0;
    let high = this.#segments.length;
    // Nearly always one of the newest, and those are in the processor's cache as well.
    for (let newest = 0; newest < NEWEST && high > 0; newest += 1) {
      const found = this.#segments[high - 1].seq;
      if (found < seq) return high;
      high -= 1;
      if (found === seq) return high;
    }
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#segments[middle].seq < seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
