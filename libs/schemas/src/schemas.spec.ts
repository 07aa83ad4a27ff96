import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import * as schemas from './index.ts';
import {
  BUS,
  CreateSession,
  EventEnvelope,
  ListSessions,
  OutputOptions,
  ParamValues,
  Session,
  SessionEvent,
  WorkerEvent,
} from './index.ts';

const SESSION: Session = {
  id: 'ses_k3v7p2mq5xw4ya6znb7c',
  state: 'running',
  endReason: null,
  endDetail: null,
  processor: 'tint',
  params: { revision: 1, appliedRevision: -1, values: { color: '#18b7a0', nested: { list: [1, null, 'x'] } } },
  output: { segmentFrames: 2, gopFrames: 60, bitrateKbps: 2000 },
  urls: { publish: 'http://e:1/a', play: 'http://e:1/b', events: 'http://e:1/c', data: 'http://e:1/d' },
  worker: 'w1',
  stats: { framesIn: 1, framesOut: 1, framesDropped: 0, fpsIn: 30, fpsOut: 29.97, latencyMs: { p50: 4, p99: 9.5 } },
  createdAt: '2026-01-01T00:00:00.000Z',
  endedAt: null,
};

describe('Bodies of requests', () => {
  it('fill in what a client leaves out', () => {
    expect(CreateSession.parse({ processor: 'tint' })).toEqual({
      processor: 'tint',
      params: {},
      output: { segmentFrames: 2, gopFrames: 60, bitrateKbps: 2000 },
      trace: false,
    });
    expect(ListSessions.parse({ limit: '7' })).toEqual({ limit: 7 });
  });

  it.each([
    [CreateSession, { processor: 'tint', colour: 1 }],
    [CreateSession, { processor: '' }],
    [CreateSession, { processor: 'tint', output: { segmentFrame: 3 } }],
    [OutputOptions, { segmentFrames: 1.5 }],
    [OutputOptions, { segmentFrames: 301 }],
    [ParamValues, [1]],
    [ParamValues, 'x'],
    [ListSessions, { page: '1' }],
  ])('%# are refused with unknown or wrong fields', (schema, value) => {
    expect(schema.safeParse(value).success).toBe(false);
  });
});

describe('A session', () => {
  it('is what it is after JSON, and nothing more', () => {
    expect(Session.parse(JSON.parse(JSON.stringify(SESSION)))).toEqual(SESSION);
    expect(Session.safeParse({ ...SESSION, secret: 1 }).success).toBe(false);
    for (const key of Object.keys(SESSION)) expect(Session.safeParse({ ...SESSION, [key]: undefined }).success).toBe(false);
  });

  it.each(['ses_', 'ses_K3V7P2MQ5XW4YA6ZNB7C', 'ses_k3v7p2mq5xw4ya6znb7c ', 'ses_k3v7p2mq5xw4ya6znb71'])('is not named %j', (id) => {
    expect(Session.safeParse({ ...SESSION, id }).success).toBe(false);
  });
});

describe('Events', () => {
  it('of a worker travel in the envelope of PyTrickle, which keeps fields that we do not know', () => {
    const event = { type: 'fps_report', fps: { out: 30 } };
    expect(EventEnvelope.parse({ event, queue_event_type: 'ai_stream_events' }).event).toEqual(event);
  });

  it('of a session are those of its worker and changes of state', () => {
    const state = { type: 'session_state', timestamp: 1, state: 'ended', reason: 'stopped', detail: null };
    expect(SessionEvent.parse(state)).toEqual(state);
    expect(SessionEvent.parse({ type: 'stream_started', timestamp: 1.5 })).toEqual({ type: 'stream_started', timestamp: 1.5 });
    expect(WorkerEvent.safeParse(state).success).toBe(false);
    expect(SessionEvent.safeParse({ type: 'params_applied', timestamp: 1, revision: 1 }).success).toBe(false);
  });
});

describe('Every schema', () => {
  const all = Object.entries<unknown>(schemas).flatMap(([name, value]): [string, z.ZodType][] =>
    value instanceof z.ZodType ? [[name, value]] : [],
  );

  it('can be shown as JSON Schema, from which the OpenAPI document is made', () => {
    expect(all.length).toBeGreaterThan(20);
    for (const [, schema] of all) expect(() => z.toJSONSchema(schema, { io: 'input' })).not.toThrow();
  });

  it('that bears an id bears the name of its export', () => {
    for (const [name, schema] of all) expect([undefined, name]).toContain(schema.meta()?.id);
  });

  it('of which there is an example accepts it', () => {
    for (const [, schema] of all) {
      const example = schema.meta()?.['example'];
      if (example !== undefined) expect(schema.safeParse(example).success).toBe(true);
    }
  });
});

describe('The bus', () => {
  it('has one meaning for each subject, of plain tokens', () => {
    const subjects = Object.values(BUS).map(({ subject }) => subject);
    expect(new Set(subjects).size).toBe(subjects.length);
    for (const subject of subjects) expect(subject).toMatch(/^[a-z]+(\.([a-z]+|\{\w+\}))+$/);
  });
});
