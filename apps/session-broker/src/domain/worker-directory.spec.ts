import { beforeEach, describe, expect, it } from '@jest/globals';
import { WorkerDirectory } from './worker-directory.ts';

const processors = [{ processor: 'tint', description: 'd', paramsSchema: {} }];
const announce = (workerId: string, slotsTotal: number, slotsFree: number) => ({ workerId, slotsTotal, slotsFree, processors });
let directory: WorkerDirectory;

beforeEach(() => {
  directory = new WorkerDirectory({ ttlMs: 100 });
});

describe('The worker directory', () => {
  it('counts a slot from the moment it is reserved, before the worker can tell', () => {
    directory.announce(announce('a', 2, 2), 0);
    expect([directory.reserve('a', 's1'), directory.reserve('a', 's2'), directory.reserve('a', 's3')]).toEqual([true, true, false]);
  });

  it('does not count a session twice when the worker tells of it too, and respects those of other brokers', () => {
    directory.announce(announce('a', 4, 4), 0);
    directory.reserve('a', 's1');
    directory.announce(announce('a', 4, 3), 1);
    expect(directory.candidates('tint', 2)).toMatchObject([{ slotsFree: 3 }]);
    directory.announce(announce('a', 4, 1), 3);
    expect(directory.candidates('tint', 4)).toMatchObject([{ slotsFree: 1 }]);
  });

  it('gives a slot back once, however often it is released', () => {
    directory.announce(announce('a', 2, 2), 0);
    directory.reserve('a', 's1');
    directory.reserve('a', 's2');
    directory.release('a', 's1');
    directory.release('a', 's1');
    expect(directory.candidates('tint', 1)).toMatchObject([{ slotsFree: 1 }]);
  });

  it('puts the worker with most free slots first', () => {
    directory.announce(announce('a', 2, 1), 0);
    directory.announce(announce('b', 4, 4), 0);
    expect(directory.candidates('tint', 1).map(({ workerId }) => workerId)).toEqual(['b', 'a']);
  });

  it('forgets a worker that stays out, and one that leaves', () => {
    directory.announce(announce('a', 2, 2), 0);
    directory.announce(announce('b', 0, 0), 0);
    expect(directory.candidates('tint', 99).map(({ workerId }) => workerId)).toEqual(['a']);
    expect(directory.isPresent('a', 101)).toBe(false);
    expect(() => directory.candidates('tint', 101)).toThrow(expect.objectContaining({ code: 'unknown_processor' }));
    directory.announce(announce('a', 2, 2), 102);
    directory.markAbsent('a');
    expect(directory.capabilities(103)).toEqual([]);
  });

  it('does not forget the sessions of a worker that comes back', () => {
    directory.announce(announce('a', 2, 2), 0);
    directory.reserve('a', 's1');
    directory.sweep(500);
    directory.announce(announce('a', 2, 2), 501);
    expect(directory.candidates('tint', 502)).toMatchObject([{ slotsFree: 1 }]);
  });

  it('sums the slots of all workers that offer a processor', () => {
    directory.announce(announce('a', 2, 1), 0);
    directory.announce(announce('b', 4, 4), 0);
    expect(directory.capabilities(1)).toMatchObject([{ processor: 'tint', slotsFree: 5, slotsTotal: 6 }]);
  });
});
