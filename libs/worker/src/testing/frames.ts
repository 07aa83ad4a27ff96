import { PicturePool } from '../sdk/picture-pool.ts';
import { VideoFrame } from '../sdk/video-frame.ts';
import type { ParamValues } from '@runnel/schemas';
import { parseParams, type ProcessorDefinition } from '../sdk/definition.ts';
import type { FrameProcessor } from '../sdk/processor.ts';
import { flatPicture, greyConverter } from './toy-codec.ts';

/** A frame whose planes are filled by the given functions of x and y. */
export function frameOf(
  size: { width: number; height: number },
  fill: Partial<Record<'y' | 'u' | 'v', (x: number, y: number) => number>> = {},
): VideoFrame {
  const picture = flatPicture({ ...size, y: 128, u: 128, v: 128 }, 0);
  for (const [at, name] of (['y', 'u', 'v'] as const).entries()) {
    const width = picture.strides[at];
    const of = fill[name];
    if (of !== undefined) picture.planes[at].forEach((_, i) => (picture.planes[at][i] = of(i % width, Math.floor(i / width))));
  }
  return new VideoFrame(picture, 0, { pool: new PicturePool(), converter: greyConverter() });
}

/** A loaded processor with these parameters, at a fixed time of day. */
export async function loaded(definition: ProcessorDefinition, values: ParamValues = {}): Promise<FrameProcessor> {
  const processor = definition.create();
  processor.params = parseParams(definition, values);
  await processor.load({ params: processor.params, converter: greyConverter(), nowMs: () => Date.UTC(2026, 0, 1, 13, 5, 9, 42) });
  return processor;
}
