import { TICKS_PER_SECOND, type AudioBlock, type Ticks } from '@runnel/media-core';

/** Level from which a sound counts as the beep; the rest of a clip's sound is far below. */
const BEEP_THRESHOLD = 0.15;
/** A beep that sounds on is not another one. */
const QUIET_TICKS = 0.3 * TICKS_PER_SECOND;
/** Flash and beep further apart than this do not belong together. */
const MATCH_TICKS = 0.45 * TICKS_PER_SECOND;
/** The patch must change by this much luma. */
const CONTRAST_MIN = 40;

/** Compares when the patch of a clip flashes with when it beeps. */
export class SyncCheck {
  readonly #patch: { pts: Ticks; luma: number }[] = [];
  readonly #beeps: Ticks[] = [];
  #lastLoud = Number.NEGATIVE_INFINITY;

  /** Takes the patch's mean luma of the next frame. */
  addFrame(pts: Ticks, luma: number): void {
    this.#patch.push({ pts, luma });
  }

  /** Takes the next block of sound; only its first channel is heard. */
  addSound({ channels, sampleRate, pts }: AudioBlock): void {
    const samples = channels[0];
    for (let at = 0; at < samples.length; at += 1) {
      if (Math.abs(samples[at]) < BEEP_THRESHOLD) continue;
      const time = pts + (at * TICKS_PER_SECOND) / sampleRate;
      if (time - this.#lastLoud > QUIET_TICKS) this.#beeps.push(time);
      this.#lastLoud = time;
    }
  }

  /** Mean of flash onset minus beep onset, ms: positive when the sound is early. Null without pairs of both. */
  result(): number | null {
    const offsets: number[] = [];
    for (const flash of this.#flashes()) {
      const nearest = this.#beeps.reduce<number | null>(
        (best, beep) => (best === null || Math.abs(beep - flash) < Math.abs(best - flash) ? beep : best),
        null,
      );
      if (nearest !== null && Math.abs(nearest - flash) < MATCH_TICKS) offsets.push(flash - nearest);
    }
    if (offsets.length === 0) return null;
    return (offsets.reduce((sum, offset) => sum + offset, 0) / offsets.length / TICKS_PER_SECOND) * 1000;
  }

  #flashes(): Ticks[] {
    const low = this.#patch.reduce((least, { luma }) => Math.min(least, luma), 255);
    const high = this.#patch.reduce((most, { luma }) => Math.max(most, luma), 0);
    if (high - low < CONTRAST_MIN) return [];
    const middle = (low + high) / 2;
    const bright = this.#patch.filter(({ luma }) => luma > middle).length;
    // The patch is dark most of the time; where it is not, the picture is a negative.
    const inverted = bright * 2 > this.#patch.length;
    const isLit = (luma: number): boolean => luma > middle !== inverted;
    return this.#patch.flatMap(({ pts, luma }, at) => (at > 0 && isLit(luma) && !isLit(this.#patch[at - 1].luma) ? [pts] : []));
  }
}
