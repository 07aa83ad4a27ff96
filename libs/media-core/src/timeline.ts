import type { Ticks } from './frames.ts';

/** Distance that is put between two units on either side of a jump: one frame at 30 a second. */
const SEAM_TICKS = 3_000;
/** Audio that is out of order by less than this has jitter, not a new time line. */
const AUDIO_JITTER_TICKS = 45_000;
/** How far one kind may run on the new time line before the other, which has not gone back itself, is taken to be on it, too. */
const FOLLOW_TICKS = 90_000;

type Kind = 'video' | 'audio';

interface Lane {
  /** Number of the time line that its units are on. */
  line: number;
  /** DTS of its last unit, as it came and as it was placed. */
  came: Ticks;
  placed: Ticks;
}

/**
 * Keeps decode times of a stream growing. Times pass unchanged until they jump (its publisher has restarted); from then
 * on all are moved by the same distance, audio and video together, so that the output goes on where it was. Audio and video
 * are interleaved only roughly: what is left of the old time line behind the first unit of the new one stays on the old one.
 */
export class Timeline {
  readonly #jitterTicks: Record<Kind, Ticks>;
  readonly #forwardMaxTicks: Ticks;
  readonly #lanes: Record<Kind, Lane> = { video: emptyLane(), audio: emptyLane() };
  #line = 0;
  /** Where the newest time line begins in the output. */
  #start: Ticks = Number.NEGATIVE_INFINITY;
  /** What is added on the newest time line, and on the one before it. */
  #offset: Ticks = 0;
  #offsetBefore: Ticks = 0;

  /** Steps back of at most `jitterTicks` are no jumps; steps forward of more than `forwardMaxTicks` are, too. */
  constructor({
    jitterTicks = { video: 0, audio: AUDIO_JITTER_TICKS },
    forwardMaxTicks = Number.POSITIVE_INFINITY,
  }: { jitterTicks?: Record<Kind, Ticks>; forwardMaxTicks?: Ticks } = {}) {
    this.#jitterTicks = jitterTicks;
    this.#forwardMaxTicks = forwardMaxTicks;
  }

  /** Jumps so far. */
  get jumps(): number {
    return this.#line;
  }

  /** The unit on the output's time line. Units of each kind come in decode order. */
  place<Unit extends { pts: Ticks; dts: Ticks }>(unit: Unit, kind: Kind): Unit {
    const offset = this.offsetOf(unit.dts, kind);
    return offset === 0 ? unit : { ...unit, pts: unit.pts + offset, dts: unit.dts + offset };
  }

  /** By how much the times of the next unit of a kind, which is to be decoded at `dts`, have to be moved. */
  offsetOf(dts: Ticks, kind: Kind): Ticks {
    const lane = this.#lanes[kind];
    const isBehind = lane.line < this.#line;
    const jitter = isBehind ? 0 : this.#jitterTicks[kind];
    const isForward = Number.isFinite(lane.came) && dts > lane.came + this.#forwardMaxTicks;
    const jumps = isForward || dts < lane.came - jitter;
    if (jumps && !isBehind) this.#begin(dts);
    if (jumps || (isBehind && this.#end() - this.#start > FOLLOW_TICKS)) this.#enter(lane, dts, jitter);
    const offset = lane.line === this.#line ? this.#offset : this.#offsetBefore;
    lane.came = jumps ? dts : Math.max(lane.came, dts);
    lane.placed = Math.max(lane.placed, dts + offset);
    return offset;
  }

  /** A new time line begins with a unit of this time. */
  #begin(dts: Ticks): void {
    this.#start = this.#end() + SEAM_TICKS;
    this.#offsetBefore = this.#offset;
    this.#offset = this.#start - dts;
    this.#line += 1;
  }

  /** Puts a lane on the newest time line, which is moved on when the lane is further than where it begins. */
  #enter(lane: Lane, dts: Ticks, jitter: Ticks): void {
    lane.line = this.#line;
    if (dts + this.#offset < lane.placed - jitter) this.#offset = lane.placed + SEAM_TICKS - dts;
  }

  /** The last DTS in the output. */
  #end(): Ticks {
    return Math.max(this.#lanes.video.placed, this.#lanes.audio.placed);
  }
}

function emptyLane(): Lane {
  return { line: 0, came: Number.NEGATIVE_INFINITY, placed: Number.NEGATIVE_INFINITY };
}
