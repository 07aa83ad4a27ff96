import { TICKS_PER_SECOND, type Ticks } from '@runnel/media-core';

/** A block whose PTS is further than this from where the samples before it end begins a new count. */
const JUMP_TICKS = 450;
/** Packets that are still inside an encoder refer to at most a few counts. */
const ANCHORS_MAX = 16;

/** Keeps the time of audio by counting samples: exact where rounded PTS would wander. */
export class SampleClock {
  readonly #rate: number;
  readonly #anchors: { sample: number; pts: Ticks }[] = [];

  constructor(sampleRate: number) {
    this.#rate = sampleRate;
  }

  /** A block with this PTS begins at sample number `sample`. */
  mark(sample: number, pts: Ticks): void {
    const last = this.#anchors.at(-1);
    if (last !== undefined && Math.abs(this.#from(last, sample) - pts) <= JUMP_TICKS) return;
    this.#anchors.push({ sample, pts });
    if (this.#anchors.length > ANCHORS_MAX) this.#anchors.shift();
  }

  /** PTS of a sample number; those before the first block (an encoder's padding) lie before its PTS. */
  ptsOf(sample: number): Ticks {
    const anchor = this.#anchors.findLast((candidate) => candidate.sample <= sample) ?? this.#anchors[0];
    return Math.round(this.#from(anchor, sample));
  }

  #from(anchor: { sample: number; pts: Ticks }, sample: number): Ticks {
    return anchor.pts + ((sample - anchor.sample) * TICKS_PER_SECOND) / this.#rate;
  }
}
