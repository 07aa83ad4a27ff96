/** When a new segment begins: every `frames` pictures, or at each keyframe that has at least `minFrames` pictures before it. */
export type CutRule = { at: 'frames'; frames: number } | { at: 'keyframes'; minFrames: number };

/** Decides where a stream is cut into segments. Audio goes with whatever segment is open. */
export class SegmentCutter {
  readonly #rule: CutRule;
  #frames = 0;
  #begun = false;

  /** @throws RangeError for a count below 1. */
  constructor(rule: CutRule) {
    if ((rule.at === 'frames' ? rule.frames : rule.minFrames) < 1) throw new RangeError('A segment has at least one frame.');
    this.#rule = rule;
  }

  /** Called with each picture in order: whether a segment boundary lies before it. True for the first one. */
  cutBefore(unit: { keyframe: boolean }): boolean {
    const rule = this.#rule;
    const due = rule.at === 'frames' ? this.#frames >= rule.frames : unit.keyframe && this.#frames >= rule.minFrames;
    if (this.#begun && !due) {
      this.#frames += 1;
      return false;
    }
    this.#begun = true;
    this.#frames = 1;
    return true;
  }
}
