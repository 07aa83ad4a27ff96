import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { RunnelError } from '@runnel/errors';
import { BUS, Session, SessionEvent } from '@runnel/schemas';
import { follow } from './testing/follow.ts';
import { NO_STATS, setStage, type PlayedSession, type PlayedWorker, type Stage } from './testing/stage.ts';

const TINT = { processor: 'tint', params: { color: '#18b7a0' } };
let stage: Stage;
let worker: PlayedWorker;

beforeEach(async () => {
  stage = await setStage();
  worker = await stage.addWorker({ slots: 2 });
  await eventually(async () => (await stage.api('GET', '/v1/capabilities')).body.items.length > 0);
});
afterEach(() => stage.close());

async function eventually(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Creates a session and returns it with its worker's side. */
async function begin(body: object = TINT): Promise<{ id: string; played: PlayedSession; path: string }> {
  const { body: session } = await stage.api('POST', '/v1/sessions', body);
  return { id: session.id, played: worker.sessions.get(session.id)!, path: `/v1/sessions/${session.id}` };
}

describe('POST /v1/sessions', () => {
  it('answers 201 with a running session, its place and its channels, once the worker is ready', async () => {
    const { status, headers, body } = await stage.api('POST', '/v1/sessions', TINT);
    expect(status).toBe(201);
    expect(headers.get('location')).toBe(`/v1/sessions/${body.id}`);
    expect(Session.parse(body)).toMatchObject({
      state: 'running',
      worker: 'w1',
      params: { revision: 0, appliedRevision: -1, values: { color: '#18b7a0', amount: 0.5 } },
      output: { segmentFrames: 2 },
    });
    expect(worker.sessions.get(body.id)?.start).toMatchObject({
      processor: 'tint',
      params: { color: '#18b7a0', amount: 0.5 },
      trace: false,
    });
  });

  it.each([
    ['an unknown field', { processor: 'tint', colour: 1 }, 400, 'invalid_request', [{ path: '' }]],
    [
      'wrong fields',
      { processor: '', output: { segmentFrames: 0 } },
      400,
      'invalid_request',
      [{ path: 'processor' }, { path: 'output.segmentFrames' }],
    ],
    [
      'wrong parameters',
      { processor: 'tint', params: { color: 'red', amount: 2, more: 1 } },
      422,
      'invalid_params',
      [{ path: 'more' }, { path: 'color' }, { path: 'amount' }],
    ],
    ['a missing parameter', { processor: 'tint' }, 422, 'invalid_params', [{ path: 'color', message: 'is missing' }]],
  ])('refuses %s and names the fields', async (_, request, status, code, errors) => {
    const { status: got, body } = await stage.api('POST', '/v1/sessions', request);
    expect([got, body.code]).toEqual([status, code]);
    expect(body.errors).toEqual(expect.arrayContaining(errors.map((field) => expect.objectContaining(field))));
    expect(body.errors).toHaveLength(errors.length);
    expect(worker.sessions.size).toBe(0);
  });

  it('refuses an unknown processor and lists the known ones', async () => {
    const { status, body } = await stage.api('POST', '/v1/sessions', { processor: 'cartoon' });
    expect([status, body.code, body.known]).toEqual([422, 'unknown_processor', ['passthrough', 'tint']]);
  });

  it('never gives away more slots than there are, also to calls at once, and tells when to try again', async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => stage.api('POST', '/v1/sessions', TINT)));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 201, 503, 503, 503]);
    const refused = answers.find(({ status }) => status === 503)!;
    expect([refused.body.code, refused.headers.get('retry-after')]).toEqual(['no_capacity', '2']);
    expect((await stage.api('GET', '/v1/capabilities')).body.items).toMatchObject([{ slotsFree: 0, slotsTotal: 2 }, { slotsFree: 0 }]);
  });

  it('asks the next worker when one is full after all, or not there', async () => {
    worker.refuseWith = async () => {
      throw new RunnelError('no_capacity', { message: 'full' });
    };
    const other = await stage.addWorker({ workerId: 'w2', slots: 1 });
    await eventually(async () => (await stage.api('GET', '/v1/capabilities')).body.items[0].slotsTotal === 3);
    const { status, body } = await stage.api('POST', '/v1/sessions', TINT);
    expect([status, body.worker, other.sessions.has(body.id)]).toEqual([201, 'w2', true]);
  });

  it('tells why the worker could not start it, gives the slot back, and keeps the failed session', async () => {
    worker.refuseWith = async () => {
      throw new RunnelError('model_failed', { message: 'There is no model here.' });
    };
    const { status, body } = await stage.api('POST', '/v1/sessions', TINT);
    expect([status, body.code, body.detail]).toEqual([422, 'model_failed', 'There is no model here.']);
    expect((await stage.api('GET', '/v1/sessions')).body.items).toMatchObject([
      { state: 'ended', endReason: 'start_failed', endDetail: 'There is no model here.' },
    ]);
    expect((await stage.api('GET', '/v1/capabilities')).body.items[0].slotsFree).toBe(2);
  });
});

describe('A client that leaves before its session has started', () => {
  it('leaves none behind: nobody knows its id', async () => {
    const [entered, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    worker.refuseWith = async () => {
      entered.resolve();
      await release.promise;
    };
    const gone = new AbortController();
    const call = fetch(`${stage.url}/v1/sessions`, {
      method: 'POST',
      body: JSON.stringify(TINT),
      headers: { 'content-type': 'application/json' },
      signal: gone.signal,
    });
    const left = expect(call).rejects.toMatchObject({ name: 'AbortError' });
    await entered.promise;
    gone.abort();
    await left;
    await new Promise((resolve) => setTimeout(resolve, 50));
    release.resolve();
    const ended = async () => (await stage.api('GET', '/v1/sessions?state=ended')).body.items;
    await eventually(async () => (await ended()).length === 1);
    expect(await ended()).toMatchObject([{ endReason: 'stopped' }]);
    expect(worker.stops).toHaveLength(1);
  });
});

describe('GET /v1/sessions', () => {
  it('pages newest first by an opaque cursor, and filters by state', async () => {
    const ids: string[] = [];
    for (let made = 0; made < 3; made += 1) {
      const { id, path } = await begin();
      ids.unshift(id);
      if (made < 2) await stage.api('DELETE', path);
    }
    const first = (await stage.api('GET', '/v1/sessions?limit=2')).body;
    const second = (await stage.api('GET', `/v1/sessions?limit=2&cursor=${first.next}`)).body;
    expect([...first.items, ...second.items].map((session: { id: string }) => session.id)).toEqual(ids);
    expect(second.next).toBeNull();
    expect((await stage.api('GET', '/v1/sessions?state=running')).body.items).toMatchObject([{ id: ids[0] }]);
  });

  it.each(['limit=0', 'limit=101', 'state=gone', 'cursor=abc', 'page=2'])('refuses ?%s', async (query) => {
    const { status, body } = await stage.api('GET', `/v1/sessions?${query}`);
    expect([status, body.code]).toEqual([400, 'invalid_request']);
  });

  it.each(['ses_unknown', 'ses_aaaaaaaaaaaaaaaaaaaa', '..%2f..%2fetc', '%00', 'x'.repeat(90)])('knows no session %s', async (id) => {
    for (const [method, rest] of [
      ['GET', ''],
      ['DELETE', ''],
      ['GET', '/events'],
    ] as const) {
      const { status, body } = await stage.api(method, `/v1/sessions/${id}${rest}`);
      expect([status, body.code]).toEqual([404, 'session_not_found']);
    }
    expect((await stage.api('PATCH', `/v1/sessions/${id}/params`, {})).body.code).toBe('session_not_found');
  });
});

describe('PATCH /v1/sessions/{id}/params', () => {
  it('merges, checks, numbers and hands on; the worker says when it is applied', async () => {
    const { played, path } = await begin();
    const { status, body } = await stage.api('PATCH', `${path}/params`, { amount: 0.9 });
    expect([status, body]).toEqual([202, { revision: 1, values: { color: '#18b7a0', amount: 0.9 } }]);
    await expect(played.heardControl()).resolves.toEqual({ color: '#18b7a0', amount: 0.9, runnel: { revision: 1 } });
    expect((await stage.api('GET', path)).body.params).toMatchObject({ revision: 1, appliedRevision: -1 });
    await played.say({ type: 'params_applied', timestamp: 1, revision: 1, frame: 30, pts: 90_000, params: body.values });
    await follow(`${stage.url}${path}/events`, { until: ({ type }) => type === 'params_applied' });
    expect((await stage.api('GET', path)).body.params).toMatchObject({ revision: 1, appliedRevision: 1 });
  });

  it('refuses wrong values and leaves everything as it was', async () => {
    const { path } = await begin();
    const { status, body } = await stage.api('PATCH', `${path}/params`, { amount: 7 });
    expect([status, body.code, body.errors[0].path]).toEqual([422, 'invalid_params', 'amount']);
    expect((await stage.api('PATCH', `${path}/params`, [1])).body.code).toBe('invalid_request');
    expect((await stage.api('GET', path)).body.params).toMatchObject({ revision: 0, values: { amount: 0.5 } });
  });

  it('reaches the control channel in the order of revisions, also from calls at once, and loses none', async () => {
    const { played, path } = await begin();
    const answers = await Promise.all(Array.from({ length: 12 }, (_, n) => stage.api('PATCH', `${path}/params`, { amount: n / 12 })));
    const heard = [];
    for (let n = 0; n < 12; n += 1) heard.push(await played.heardControl());
    expect(heard.map((document) => (document['runnel'] as { revision: number }).revision)).toEqual(
      Array.from({ length: 12 }, (_, n) => n + 1),
    );
    for (const { body } of answers) expect(heard[body.revision - 1]).toMatchObject(body.values);
  });

  it('is refused once the session has ended', async () => {
    const { path } = await begin();
    await stage.api('DELETE', path);
    const { status, body } = await stage.api('PATCH', `${path}/params`, { amount: 0.1 });
    expect([status, body.code]).toEqual([409, 'session_ended']);
  });
});

describe('GET /v1/sessions/{id}/events', () => {
  it('brings every event of the session in order, from its first, and ends after the last', async () => {
    const { played, path } = await begin();
    const following = follow(`${stage.url}${path}/events`);
    await played.say({ type: 'stream_started', timestamp: 1 });
    await played.say({ type: 'heartbeat', timestamp: 2, stats: { ...NO_STATS, framesIn: 9 } });
    await played.say({ type: 'container_own' });
    await follow(`${stage.url}${path}/events`, { until: ({ type }) => type === 'container_own' });
    expect((await stage.api('GET', path)).body.stats).toMatchObject({ framesIn: 9 });
    await stage.api('DELETE', path);
    const seen = await following;
    expect(seen.map(({ event }) => event.state ?? event.type)).toEqual([
      'starting',
      'running',
      'stream_started',
      'heartbeat',
      'container_own',
      'stopping',
      'stream_stopped',
      'ended',
    ]);
    expect(seen.map(({ id }) => id)).toEqual(seen.map((_, at) => at + 1));
    expect(seen.at(-1)?.event).toMatchObject({ type: 'session_state', reason: 'stopped' });
    for (const { event } of seen) if (event.type !== 'container_own') SessionEvent.parse(event);
  });

  it('answers HEAD with its headers alone, and does not count it as a follower', async () => {
    const { path } = await begin();
    const answers = await Promise.all(Array.from({ length: 70 }, () => fetch(`${stage.url}${path}/events`, { method: 'HEAD' })));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 70 }, () => 200));
    expect(answers[0].headers.get('content-type')).toBe('text/event-stream');
  });

  it('replays what came after Last-Event-ID, also after the end', async () => {
    const { path } = await begin();
    await stage.api('DELETE', path);
    const all = await follow(`${stage.url}${path}/events`);
    const rest = await follow(`${stage.url}${path}/events`, { lastEventId: all[1].id });
    expect(rest).toEqual(all.slice(2));
    expect(await follow(`${stage.url}${path}/events`, { lastEventId: all.at(-1)?.id })).toEqual([]);
  });

  it('turns an event that cannot be read into a warning and goes on', async () => {
    const { played, path } = await begin();
    await played.say({ type: 'heartbeat' });
    await played.say({ type: 'stream_started', timestamp: 1 });
    const seen = await follow(`${stage.url}${path}/events`, { until: ({ type }) => type === 'stream_started' });
    expect(seen.at(-2)?.event).toMatchObject({ type: 'warning', code: 'malformed_event' });
  });
});

describe('The end of a session', () => {
  it('comes by DELETE, which answers once it has, a second time likewise, and frees the slot', async () => {
    const { id, path } = await begin();
    const [first, second] = await Promise.all([stage.api('DELETE', path), stage.api('DELETE', path)]);
    for (const { status, body } of [first, second, await stage.api('DELETE', path)]) {
      expect([status, body.state, body.endReason]).toEqual([200, 'ended', 'stopped']);
    }
    expect(worker.stops).toEqual([id]);
    expect((await stage.api('GET', '/v1/capabilities')).body.items[0].slotsFree).toBe(2);
  });

  it('comes from the worker, with its reason', async () => {
    const { played, path } = await begin();
    await played.say({ type: 'stream_stopped', timestamp: 1, reason: 'input_ended', detail: 'The source ended.' });
    await played.ended('input_ended', 'The source ended.');
    const seen = await follow(`${stage.url}${path}/events`);
    expect(seen.at(-1)?.event).toMatchObject({ state: 'ended', reason: 'input_ended', detail: 'The source ended.' });
    expect(worker.stops).toEqual([]);
  });

  it('is not believed from a worker that does not have it', async () => {
    const { path, id } = await begin();
    await stage.bus.publish(BUS.workerSessionEnded, { workerId: 'w2' }, { sessionId: id, reason: 'stopped', detail: 'x' });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect((await stage.api('GET', path)).body.state).toBe('running');
  });

  it('closes its channels a little later', async () => {
    const { path, played } = await begin();
    await stage.api('DELETE', path);
    expect((await fetch(`${played.start.urls.videoOut}/next`)).status).toBe(200);
    await eventually(async () => (await fetch(`${played.start.urls.videoOut}/next`)).status === 404);
  });

  it('comes to all when the broker closes: followers see it, workers stop', async () => {
    const { id, path } = await begin();
    const following = follow(`${stage.url}${path}/events`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await stage.closeBroker();
    expect((await following).at(-1)?.event).toMatchObject({ state: 'ended', reason: 'shutdown' });
    expect(worker.stops).toEqual([id]);
    await expect(fetch(`${stage.url}/livez`)).rejects.toThrow();
  });
});

describe('Time alone', () => {
  it('ends a session whose worker falls silent', async () => {
    await stage.close();
    stage = await setStage({ BROKER_SILENCE_MS: '300' });
    worker = await stage.addWorker();
    await eventually(async () => (await stage.api('GET', '/v1/capabilities')).body.items.length > 0);
    const { path } = await begin();
    const seen = await follow(`${stage.url}${path}/events`);
    expect(seen.at(-1)?.event).toMatchObject({ state: 'ended', reason: 'worker_lost' });
  });

  it('ends a start that hangs, with 504', async () => {
    await stage.close();
    stage = await setStage({ BROKER_START_DEADLINE_MS: '100' });
    worker = await stage.addWorker();
    await eventually(async () => (await stage.api('GET', '/v1/capabilities')).body.items.length > 0);
    const release = Promise.withResolvers<void>();
    worker.refuseWith = () => release.promise;
    const { status, body } = await stage.api('POST', '/v1/sessions', TINT);
    release.resolve();
    expect([status, body.code]).toEqual([504, 'deadline_exceeded']);
    expect((await stage.api('GET', '/v1/sessions')).body.items).toMatchObject([{ state: 'ended', endReason: 'start_failed' }]);
  });
});

it('GET /readyz says no while no worker is there', async () => {
  expect((await fetch(`${stage.url}/readyz`)).status).toBe(200);
  const empty = await setStage();
  expect((await fetch(`${empty.url}/readyz`)).status).toBe(503);
  await empty.close();
});
