import { describe, expect, it } from '@jest/globals';
import type { WorkerEvent } from '@runnel/schemas';
import { z } from 'zod';
import { defineProcessor } from '../sdk/definition.ts';
import { FrameProcessor } from '../sdk/processor.ts';
import type { VideoFrame } from '../sdk/video-frame.ts';
import { ParamLane } from './param-lane.ts';

const params = z.strictObject({ a: z.number().default(1), b: z.number().default(2) });

class Picky extends FrameProcessor<typeof params> {
  override processVideo(frame: VideoFrame) {
    return frame;
  }
  override async updateParams({ a }: z.output<typeof params>) {
    await Promise.resolve();
    if (a === 13) throw new Error('13 brings bad luck');
  }
}
const definition = defineProcessor({ name: 'picky', description: 'A test.', params, create: () => new Picky() });

describe('ParamLane', () => {
  it('keeps the old parameters when the processor refuses new ones, for later updates, too', async () => {
    const events: WorkerEvent[] = [];
    const processor = definition.create();
    const lane = new ParamLane({
      definition,
      processor,
      first: { revision: 0, values: { a: 5 } },
      emit: (event) => events.push(event),
      nowMs: () => 1,
    });
    lane.update({ revision: 1, values: { a: 13 } });
    await lane.apply(processor);
    expect(processor.params).toEqual({ a: 5, b: 2 });
    lane.update({ revision: 2, values: { b: 7 } });
    await lane.apply(processor);
    lane.frameSent({ number: 9, pts: 90 }, processor);
    lane.frameSent({ number: 10, pts: 100 }, processor);
    expect(events).toEqual([
      { type: 'params_rejected', timestamp: 1, revision: 1, reason: expect.stringContaining('13 brings bad luck') },
      { type: 'params_applied', timestamp: 1, revision: 0, frame: 9, pts: 90, params: { a: 5, b: 7 } },
      { type: 'params_applied', timestamp: 1, revision: 2, frame: 9, pts: 90, params: { a: 5, b: 7 } },
    ]);
  });

  it('merges the oldest updates when too many wait for a frame, so that the last one holds', async () => {
    const events: WorkerEvent[] = [];
    const processor = definition.create();
    const lane = new ParamLane({
      definition,
      processor,
      first: { revision: 0, values: {} },
      emit: (event) => events.push(event),
      nowMs: () => 1,
    });
    lane.update({ revision: 1, values: { b: 7 } });
    for (let revision = 2; revision <= 200; revision += 1) lane.update({ revision, values: { a: revision } });
    expect(events).toHaveLength(136);
    expect(events[0]).toMatchObject({ type: 'warning', code: 'params_merged', message: expect.stringContaining('Revision 1 became part') });
    events.length = 0;
    await lane.apply(processor);
    lane.frameSent({ number: 0, pts: 0 }, processor);
    expect(processor.params).toEqual({ a: 200, b: 7 });
    expect(events).toHaveLength(65);
    expect(events.at(-1)).toMatchObject({ type: 'params_applied', revision: 200, params: { a: 200, b: 7 } });
  });
});
