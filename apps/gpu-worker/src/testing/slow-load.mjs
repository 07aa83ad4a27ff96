/** A processor that takes a minute to load, as a large model can. */
import { defineProcessor, FrameProcessor } from '@runnel/worker';
import { z } from 'zod';

class SlowLoad extends FrameProcessor {
  async load() {
    await new Promise((resolve) => setTimeout(resolve, 60_000));
  }

  processVideo(frame) {
    return frame;
  }
}

export default defineProcessor({ name: 'slow-load', description: 'Loads.', params: z.strictObject({}), create: () => new SlowLoad() });
