/** A processor that takes its whole process down on its fifth frame, as a codec can. */
import { defineProcessor, FrameProcessor } from '@runnel/worker';
import { z } from 'zod';

class Crash extends FrameProcessor {
  processVideo(frame) {
    if (frame.number === 4) process.kill(process.pid, 'SIGSEGV');
    return frame;
  }
}

export default [defineProcessor({ name: 'crash', description: 'Dies.', params: z.strictObject({}), create: () => new Crash() })];
