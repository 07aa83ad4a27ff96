import { z } from 'zod';
import { defineProcessor } from '../../sdk/definition.ts';
import { FrameProcessor, type ProcessorContext } from '../../sdk/processor.ts';
import type { VideoFrame } from '../../sdk/video-frame.ts';
import { drawText } from './draw.ts';

const params = z.strictObject({
  text: z.string().max(200).default('').describe('Lines of text; small letters are drawn as capitals.'),
  clock: z.boolean().default(true).describe('Shows the time of day (UTC) at which the frame was processed, hh:mm:ss.mmm.'),
  position: z.enum(['top-left', 'top-right', 'bottom-left', 'bottom-right', 'center']).default('top-left'),
  size: z.int().min(7).max(400).default(21).describe('Height of a letter in pixels.'),
});

class Overlay extends FrameProcessor<typeof params> {
  #nowMs: () => number = Date.now;

  override load({ nowMs }: ProcessorContext<typeof params>): void {
    this.#nowMs = nowMs;
  }

  override processVideo(frame: VideoFrame): VideoFrame {
    const { text, clock, position, size } = this.params;
    const lines = [...(clock ? [timeOfDay(this.#nowMs())] : []), ...(text === '' ? [] : text.split('\n'))];
    if (lines.length > 0) drawText({ y: frame.edit('y'), u: frame.edit('u'), v: frame.edit('v') }, lines, { position, size });
    return frame;
  }
}

/** hh:mm:ss.mmm of an epoch time, UTC. */
function timeOfDay(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(11, 23);
}

/** Writes text and the time of day into the picture. */
export const overlay = defineProcessor({
  name: 'overlay',
  description: 'Writes a text and a clock with milliseconds into the picture.',
  params,
  create: () => new Overlay(),
});
