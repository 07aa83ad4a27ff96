import { z } from 'zod';
import { defineProcessor } from '../sdk/definition.ts';
import { FrameProcessor } from '../sdk/processor.ts';
import type { VideoFrame } from '../sdk/video-frame.ts';
import { blendPlane } from './chroma.ts';

const params = z.strictObject({
  color: z
    .string()
    .regex(/^#[0-9a-fA-F]{6}$/, 'must be a colour such as #18b7a0')
    .default('#18b7a0')
    .describe('Colour as #rrggbb.'),
  amount: z.number().min(0).max(1).default(0.5).describe('0 keeps the colours, 1 replaces them.'),
});

/** Chroma of an RGB colour in BT.601 limited range (ITU-R BT.601-7, 2.5). */
function chromaOf(color: string): { u: number; v: number } {
  const value = Number.parseInt(color.slice(1), 16);
  const [r, g, b] = [(value >> 16) / 255, ((value >> 8) & 255) / 255, (value & 255) / 255];
  const luma = 0.299 * r + 0.587 * g + 0.114 * b;
  return { u: 128 + (224 * (b - luma)) / 1.772, v: 128 + (224 * (r - luma)) / 1.402 };
}

class Tint extends FrameProcessor<typeof params> {
  override processVideo(frame: VideoFrame): VideoFrame {
    const { amount, color } = this.params;
    if (amount === 0) return frame;
    const target = chromaOf(color);
    for (const name of ['u', 'v'] as const) {
      const from = frame[name];
      blendPlane(from, frame.overwrite(name), { target: target[name], amount });
    }
    return frame;
  }
}

/** Colours the picture, light and shade stay. */
export const tint = defineProcessor({
  name: 'tint',
  description: 'Colours the picture; light and shade stay as they are.',
  params,
  create: () => new Tint(),
});
