import { describe, expect, it } from '@jest/globals';
import { newSessionId } from '../new-id.ts';
import { KEPT_ENDED, KEPT_ENDED_MS, SessionRegistry } from './registry.ts';
import { SessionRecord } from './session-record.ts';

function record(order: number): SessionRecord {
  return new SessionRecord({
    id: newSessionId(),
    order,
    input: { processor: 'p', params: {}, output: { segmentFrames: 1, gopFrames: 1, bitrateKbps: 100 }, trace: false },
    offer: { processor: 'p', description: '', paramsSchema: {} },
    values: {},
    nowMs: 0,
    deadlines: { placingMs: 1, startingMs: 1, silenceMs: 1, stoppingMs: 1 },
  });
}

describe('The session registry', () => {
  it('keeps a bounded number of ended sessions for a bounded time, and every live one', () => {
    const registry = new SessionRegistry();
    const live = record(0);
    registry.add(live);
    const ended = Array.from({ length: KEPT_ENDED + 5 }, (_, at) => record(at + 1));
    for (const each of ended) {
      registry.add(each);
      each.apply({ type: 'gone', reason: 'stopped', detail: '' }, 1000);
    }
    registry.prune(1001);
    expect(ended.filter(({ id }) => registry.find(id) === undefined)).toEqual(ended.slice(0, 5));
    registry.prune(1000 + KEPT_ENDED_MS + 1);
    expect(ended.filter(({ id }) => registry.find(id) !== undefined)).toEqual([]);
    expect(registry.find(live.id)).toBe(live);
  });

  it('shows nobody a session whose channels do not exist yet', () => {
    const registry = new SessionRegistry();
    const placing = record(1);
    registry.add(placing);
    expect(() => registry.get(placing.id)).toThrow(expect.objectContaining({ code: 'session_not_found' }));
    expect(registry.list({ limit: 10 }).items).toEqual([]);
  });
});
