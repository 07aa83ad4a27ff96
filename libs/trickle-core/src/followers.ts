import type { Segment } from './segment.ts';

/** Who takes longer from one segment to the next is not counted as a follower any more. */
export const FORGET_MS = 10_000;

/**
 * How far those who follow a channel have come. A relay knows requests, not subscribers; but who follows asks for n + 1 after n, so
 * each segment counts the followers whose latest request was for it, and a request for the next number moves one on. Whose request
 * it was makes no difference to the sum. In doubt one too many is counted: that costs a channel's end a short wait, and no subscriber its tail.
 */
export class Followers {
  /** Between two segments, of which the one they had is not held any more: told to jump, or just slow to ask. And since when the latest is. */
  #between = 0;
  #betweenMs = Number.NEGATIVE_INFINITY;
  /** Where those who were told to jump were sent. */
  #jumpTo = -1;

  /** A reader has come to a segment. `before`: the one before it, if held; null when the number was asked for by its place at the live edge. */
  came(segment: Segment, before: Segment | null | undefined): void {
    segment.followers += 1;
    if (before === null) return;
    // A request that was given up and made again did not come from the segment before.
    if (segment.givenUp > 0) segment.givenUp -= 1;
    else if (this.#between > 0 && segment.seq === this.#jumpTo) this.#between -= 1;
    else if (before !== undefined && before.followers > 0) before.followers -= 1;
    else if (this.#between > 0) this.#between -= 1;
  }

  /** A reader was told that what it asked for is not in the window, and to go on at the next write. */
  missed(before: Segment | null | undefined, latest: number, nowMs: number): void {
    if (before !== null && before !== undefined && before.followers > 0) before.followers -= 1;
    this.#jumpTo = latest;
    this.#add(1, nowMs);
  }

  /** A segment leaves the window: who was last heard of there is told now, or was on the way already. */
  evicted(segment: Segment, nowMs: number): void {
    if (segment.followers > 0) this.#add(segment.followers, segment.readers.size > 0 ? nowMs : segment.finishedMs);
    segment.followers = 0;
  }

  /** A reader has left a segment: told how it ended, or in the middle. */
  left(segment: Segment, options: { finished: boolean }, nowMs: number): void {
    if (options.finished) {
      segment.finished += 1;
      segment.finishedMs = nowMs;
      return;
    }
    // Who hangs up is gone, unless what is left is needed for those who are still there, or on their way to the next one.
    const most = segment.readers.size + segment.finished;
    if (segment.followers <= most) return;
    segment.followers = most;
    segment.givenUp += 1;
  }

  /**
   * Whether somebody has not come to the next write: is in the middle of a segment below it, or has had one in the last `recentMs` and not
   * asked for the one after it.
   */
  areBehind(segments: readonly Segment[], nextWrite: number, recent: { nowMs: number; recentMs: number }): boolean {
    const sinceMs = recent.nowMs - recent.recentMs;
    if (this.#between > 0 && this.#betweenMs >= sinceMs) return true;
    for (const { seq, followers, readers, finishedMs } of segments) {
      if (seq < nextWrite && followers > 0 && (readers.size > 0 || finishedMs >= sinceMs)) return true;
    }
    return false;
  }

  #add(count: number, sinceMs: number): void {
    // Who has not come for so long has left.
    if (sinceMs - this.#betweenMs > FORGET_MS) this.#between = 0;
    this.#between += count;
    this.#betweenMs = Math.max(this.#betweenMs, sinceMs);
  }
}
