import { z } from 'zod';
import { defineProcessor } from '../sdk/definition.ts';
import { FrameProcessor } from '../sdk/processor.ts';
import type { VideoFrame } from '../sdk/video-frame.ts';

const params = z.strictObject({});

class Passthrough extends FrameProcessor<typeof params> {
  override processVideo(frame: VideoFrame): VideoFrame {
    return frame;
  }
}

/** Sends every frame on as it is: decoded and encoded again, so that its cost is the path's own. */
export const passthrough = defineProcessor({
  name: 'passthrough',
  description: 'Sends the picture on as it is.',
  params,
  create: () => new Passthrough(),
});
