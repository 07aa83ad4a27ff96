import { flashFrame } from './scene.ts';
import { MARKS } from './layout.ts';

/** Sample rate of a clip's sound. */
export const CLIP_SAMPLE_RATE = 48_000;
const BEEP_LEVEL = 0.6;
/** A soft fifth underneath, far below the beep. */
const PAD = { levels: [0.03, 0.02], hz: [220, 330] } as const;

/** The sound of a clip, both channels the same: from sample `from` on, `count` samples. A beep begins exactly with the picture that flashes. */
export function clipSound({ from, count, fps, frames }: { from: number; count: number; fps: number; frames: number }): Float32Array {
  const samples = new Float32Array(count);
  for (let at = 0; at < count; at += 1) {
    const time = (from + at) / CLIP_SAMPLE_RATE;
    for (let tone = 0; tone < PAD.hz.length; tone += 1) samples[at] += PAD.levels[tone] * Math.sin(2 * Math.PI * PAD.hz[tone] * time);
  }
  const beepSamples = MARKS.beepSeconds * CLIP_SAMPLE_RATE;
  const firstSecond = Math.max(0, Math.floor(from / CLIP_SAMPLE_RATE) - 1);
  for (let second = firstSecond; flashFrame(second, fps) < frames; second += 1) {
    const start = Math.round((flashFrame(second, fps) / fps) * CLIP_SAMPLE_RATE);
    if (start >= from + count) break;
    for (let at = Math.max(from, start); at < Math.min(from + count, start + beepSamples); at += 1)
      samples[at - from] += BEEP_LEVEL * Math.sin((2 * Math.PI * MARKS.beepHz * (at - start)) / CLIP_SAMPLE_RATE);
  }
  return samples;
}
