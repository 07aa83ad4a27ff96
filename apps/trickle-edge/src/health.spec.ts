import { describe, expect, it } from '@jest/globals';
import { DEFAULT_LIMITS } from '@runnel/trickle-core';
import { edgeHealth, READY_LOOP_DELAY_MS } from './health.ts';

function setUp(state: { heldBytes?: number; refusal?: string | null; p99?: number; warm?: boolean }) {
  const { heldBytes = 0, refusal = null, p99 = 0, warm = true } = state;
  const hub = { heldBytes, refusal, limits: { ...DEFAULT_LIMITS, hubBytes: 1000 } };
  return edgeHealth({ hub, loopDelay: () => ({ p50: 0, p99, max: p99 }), isWarm: () => warm }).readiness();
}

describe('an edge', () => {
  it('is ready when nothing is against it', async () => {
    expect(await setUp({ heldBytes: 899, p99: READY_LOOP_DELAY_MS - 1 })).toMatchObject({ status: 'ready' });
  });

  it.each([
    ['drain', { refusal: 'The edge drains.' }, 'The edge drains.'],
    ['warm_up', { warm: false }, 'the code is being warmed up'],
    ['memory', { heldBytes: 900 }, 'segments take 90 % of EDGE_MEMORY_MIB'],
    ['event_loop', { p99: READY_LOOP_DELAY_MS }, 'the event loop is 200 ms late'],
  ])('is not ready because of %s, and says so', async (check, state, reason) => {
    const { status, checks } = await setUp(state);
    const failing = Object.entries(checks).filter(([, { ok }]) => !ok);
    expect([status, failing]).toEqual(['not_ready', [[check, { ok: false, reason }]]]);
  });
});
