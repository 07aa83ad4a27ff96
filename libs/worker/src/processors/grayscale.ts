import { z } from 'zod';
import { defineProcessor } from '../sdk/definition.ts';
import { FrameProcessor } from '../sdk/processor.ts';
import type { VideoFrame } from '../sdk/video-frame.ts';
import { blendPlane, NEUTRAL } from './chroma.ts';

const params = z.strictObject({
  amount: z.number().min(0).max(1).default(1).describe('0 keeps the colours, 1 removes them.'),
});

class Grayscale extends FrameProcessor<typeof params> {
  override processVideo(frame: VideoFrame): VideoFrame {
    const { amount } = this.params;
    if (amount === 0) return frame;
    for (const name of ['u', 'v'] as const) {
      const from = frame[name];
      blendPlane(from, frame.overwrite(name), { target: NEUTRAL, amount });
    }
    return frame;
  }
}

/** Takes the colour out. Luma stays where the decoder put it. */
export const grayscale = defineProcessor({
  name: 'grayscale',
  description: 'Takes the colour out of the picture.',
  params,
  create: () => new Grayscale(),
});
