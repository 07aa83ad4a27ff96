import { describe, expect, it } from '@jest/globals';
import type { SessionState } from '@runnel/schemas';
import * as fc from 'fast-check';
import { advance, newLife, type Life, type LifeEvent } from './life.ts';

const DEADLINES = { placingMs: 10, startingMs: 20, silenceMs: 30, stoppingMs: 40 };
const STOP: LifeEvent = { type: 'stop', reason: 'stopped', detail: 'by request' };
const GONE: LifeEvent = { type: 'gone', reason: 'input_ended', detail: 'source' };

const at = (state: SessionState): Life => {
  const path: Record<SessionState, LifeEvent[]> = {
    placing: [],
    starting: [{ type: 'placed' }],
    running: [{ type: 'placed' }, { type: 'started' }],
    stopping: [STOP],
    ended: [GONE],
  };
  return path[state].reduce((life, event) => advance(life, event, 0, DEADLINES), newLife(0, DEADLINES));
};

describe('A session in', () => {
  it.each<[SessionState, LifeEvent, SessionState, number | null]>([
    ['placing', { type: 'placed' }, 'starting', 120],
    ['placing', { type: 'started' }, 'placing', 10],
    ['placing', { type: 'heard' }, 'placing', 10],
    ['placing', STOP, 'stopping', 140],
    ['placing', GONE, 'ended', null],
    ['placing', { type: 'deadline' }, 'ended', null],
    ['starting', { type: 'placed' }, 'starting', 20],
    ['starting', { type: 'started' }, 'running', 130],
    ['starting', { type: 'heard' }, 'starting', 20],
    ['starting', STOP, 'stopping', 140],
    ['starting', GONE, 'ended', null],
    ['starting', { type: 'deadline' }, 'ended', null],
    ['running', { type: 'placed' }, 'running', 30],
    ['running', { type: 'started' }, 'running', 30],
    ['running', { type: 'heard' }, 'running', 130],
    ['running', STOP, 'stopping', 140],
    ['running', GONE, 'ended', null],
    ['running', { type: 'deadline' }, 'ended', null],
    ['stopping', { type: 'placed' }, 'stopping', 40],
    ['stopping', { type: 'started' }, 'stopping', 40],
    ['stopping', { type: 'heard' }, 'stopping', 40],
    ['stopping', STOP, 'stopping', 40],
    ['stopping', GONE, 'ended', null],
    ['stopping', { type: 'deadline' }, 'ended', null],
    ['ended', STOP, 'ended', null],
    ['ended', { type: 'started' }, 'ended', null],
    ['ended', { type: 'deadline' }, 'ended', null],
  ])('%s, on %j, is then %s until %p', (state, event, next, deadlineMs) => {
    expect(advance(at(state), event, 100, DEADLINES)).toMatchObject({ state: next, deadlineMs });
  });

  it('running that falls silent ends as worker_lost; one that never started as start_failed', () => {
    expect(advance(at('running'), { type: 'deadline' }, 100, DEADLINES).reason).toBe('worker_lost');
    expect(advance(at('starting'), { type: 'deadline' }, 100, DEADLINES).reason).toBe('start_failed');
    expect(advance(at('placing'), { type: 'deadline' }, 100, DEADLINES).reason).toBe('start_failed');
  });

  it('stopping keeps the first reason, whatever the worker says later', () => {
    expect(advance(at('stopping'), GONE, 100, DEADLINES)).toMatchObject({ reason: 'stopped', detail: 'by request' });
    expect(advance(at('stopping'), { type: 'deadline' }, 100, DEADLINES)).toMatchObject({ reason: 'stopped' });
  });

  it('any state ends by time alone, and its states come in order', () => {
    const order: SessionState[] = ['placing', 'starting', 'running', 'stopping', 'ended'];
    const event = fc.constantFrom<LifeEvent>({ type: 'placed' }, { type: 'started' }, { type: 'heard' }, STOP, GONE, { type: 'deadline' });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 30 }), (events) => {
        let life = newLife(0, DEADLINES);
        for (const [now, happened] of events.entries()) {
          const next = advance(life, happened, now, DEADLINES);
          expect(order.indexOf(next.state)).toBeGreaterThanOrEqual(order.indexOf(life.state));
          expect(next.deadlineMs === null).toBe(next.state === 'ended');
          expect(next.reason === null).toBe(next.state !== 'stopping' && next.state !== 'ended');
          life = next;
        }
        life = advance(life, { type: 'deadline' }, 1000, DEADLINES);
        expect(life.state).toBe('ended');
      }),
    );
  });
});
