import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { SLOTS, turns, World, type Mood, type Step } from '../testing/world.ts';
import type { SessionRecord } from './session-record.ts';

const nth = fc.nat(3);
const mood = fc.constantFrom<Mood>('answers', 'refuses', 'hangs');
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Step>({ do: 'create' }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('patch' as const), nth }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'remove' as const,
        'stopped' as const,
        'ended' as const,
        'heartbeat' as const,
        'applied' as const,
        'nonsense' as const,
      ),
      nth,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('edge' as const, 'worker' as const), mood }) },
  { weight: 2, arbitrary: fc.constant<Step>({ do: 'announce' }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(20_000) }) },
);

describe('Whatever clients, workers, edge and time do', () => {
  it('every session ends with a reason, revisions go up one by one on the control channel, and no slot is lost', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        const world = new World();
        await world.start();
        await turns(3);
        const records = new Set<SessionRecord>();
        for (const each of steps) {
          await world.play(each);
          for (const id of world.created) records.add(world.manager.record(id));
          expect(world.manager.list({ limit: 100 }).items.filter(({ state }) => state === 'running').length).toBeLessThanOrEqual(SLOTS);
        }
        world.edge = 'answers';
        world.worker = 'answers';
        // Nobody says anything any more: time alone must end everything that still lives.
        while (!(await settled(world.calls)) || world.manager.list({ limit: 100 }).items.some(({ state }) => state !== 'ended')) {
          world.clock.advance(10_000);
          await turns(5);
        }
        for (const session of world.manager.list({ limit: 100 }).items) {
          expect(session).toMatchObject({
            state: 'ended',
            endReason: expect.any(String),
            endDetail: expect.any(String),
            endedAt: expect.any(String),
          });
          expect(session.params.appliedRevision).toBeLessThanOrEqual(
            Math.max(session.params.revision, ...(world.controls.get(session.id) ?? [0])),
          );
        }
        for (const record of records) await record.ended;
        for (const [id, revisions] of world.controls) {
          expect(revisions).toEqual(revisions.map((_, at) => at + 1));
          const answered = world.accepted.filter((accepted) => accepted.id === id).map(({ answer }) => answer.revision);
          expect(answered).toEqual(answered.toSorted((a, b) => a - b));
          expect(new Set(answered).size).toBe(answered.length);
        }
        await world.announce();
        await turns(3);
        expect(world.manager.capabilities()).toMatchObject([{ slotsFree: SLOTS, slotsTotal: SLOTS }]);
        await world.manager.close();
        await world.bus.close();
      }),
      { numRuns: 40 },
    );
  }, 120_000);
});

async function settled(calls: Promise<void>[]): Promise<boolean> {
  const pending = Symbol('pending');
  const first = await Promise.race([Promise.all(calls), new Promise((resolve) => setTimeout(resolve, 20, pending))]);
  return first !== pending;
}
