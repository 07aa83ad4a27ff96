/** What arrived whole, by stages: a stage is the segments `[from, to)` of every channel. */
export class Record {
  #stages = [];

  /** Begins a stage. `expected`: segments times readers over all channels. */
  stage({ from, to, expected }) {
    const stage = { from, to, expected, delivered: 0, first: new Float64Array(expected), last: new Float64Array(expected) };
    this.#stages.push(stage);
    return stage;
  }

  delivered(seq, firstByteMs, lastByteMs) {
    for (let at = this.#stages.length - 1; at >= 0; at -= 1) {
      const stage = this.#stages[at];
      if (seq < stage.from) continue;
      if (seq >= stage.to || stage.delivered === stage.expected) return;
      stage.first[stage.delivered] = firstByteMs;
      stage.last[stage.delivered] = lastByteMs;
      stage.delivered += 1;
      return;
    }
  }
}

/** Waits until all of a stage has arrived, at most `deadlineMs`. */
export async function arrival(stage, deadlineMs) {
  const untilMs = performance.now() + deadlineMs;
  while (stage.delivered < stage.expected && performance.now() < untilMs) {
    await new Promise((resolve) => {
      setTimeout(resolve, 2);
    });
  }
}
