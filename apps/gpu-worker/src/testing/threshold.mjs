/** A processor as a user of the SDK writes one: black and white, nothing between. */
import { defineProcessor, FrameProcessor } from '@runnel/worker';
import { z } from 'zod';

const params = z.strictObject({ level: z.number().min(0).max(255).default(128) });

class Threshold extends FrameProcessor {
  processVideo(frame) {
    return frame.mapLuma((y) => (y >= this.params.level ? 235 : 16));
  }
}

export default defineProcessor({
  name: 'threshold',
  description: 'Black and white, nothing between.',
  params,
  create: () => new Threshold(),
});
