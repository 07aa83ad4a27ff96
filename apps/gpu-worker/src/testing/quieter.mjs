/** A processor that also has the sound: half as loud. */
import { defineProcessor, FrameProcessor } from '@runnel/worker';
import { z } from 'zod';

class Quieter extends FrameProcessor {
  processVideo(frame) {
    return frame;
  }

  async processAudio(frame) {
    return [frame.withChannels(frame.channels.map((samples) => samples.map((sample) => sample / 2)))];
  }
}

export default defineProcessor({ name: 'quieter', description: 'Half as loud.', params: z.strictObject({}), create: () => new Quieter() });
