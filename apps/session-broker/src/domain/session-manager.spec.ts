import { afterEach, describe, expect, it } from '@jest/globals';
import { OutputOptions } from '@runnel/schemas';
import { SLOTS, turns, World } from '../testing/world.ts';

let world: World;

async function enter(env: Record<string, string> = {}): Promise<void> {
  world = new World(env);
  await world.start();
  await turns(3);
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}

const sessions = () => world.manager.list({ limit: 100 }).items;

afterEach(async () => {
  world.worker = 'answers';
  const closing = world.manager.close();
  world.clock.advance(10_000);
  await closing;
  await Promise.all(world.calls);
  await world.bus.close();
});

describe('While a session runs', () => {
  it('its control channel gets a keep-alive every ten seconds', async () => {
    await enter();
    await world.play({ do: 'create' });
    await until(() => world.created.length === 1);
    for (let second = 0; second < 60; second += 1) {
      world.clock.advance(1000);
      await world.play({ do: 'heartbeat', nth: 0 });
      await world.announce();
    }
    expect(world.heard.filter((what) => what === 'keep-alive')).toHaveLength(6);
    expect(sessions()).toMatchObject([{ state: 'running' }]);
  });

  it('and its worker neither speaks nor announces itself, it is lost sooner than by silence alone', async () => {
    await enter();
    await world.play({ do: 'create' });
    await until(() => world.created.length === 1);
    world.clock.advance(14_000);
    expect(sessions()).toMatchObject([{ state: 'running' }]);
    world.clock.advance(2000);
    expect(sessions()).toMatchObject([{ state: 'ended', endReason: 'worker_lost', endDetail: 'The worker is gone.' }]);
  });

  it('a worker that announces itself may be silent for longer, but not for ever', async () => {
    await enter();
    await world.play({ do: 'create' });
    await until(() => world.created.length === 1);
    for (let second = 0; second < 29; second += 1) {
      world.clock.advance(1000);
      await world.announce();
      await turns(2);
    }
    expect(sessions()).toMatchObject([{ state: 'running' }]);
    world.clock.advance(1000);
    expect(sessions()).toMatchObject([{ state: 'ended', endReason: 'worker_lost' }]);
  });
});

describe('A parameter update whose write failed', () => {
  it('leaves the values as they were, and its number is never given to another: the edge may have written it', async () => {
    await enter();
    await world.play({ do: 'create' });
    await until(() => world.created.length === 1);
    const [id] = world.created;
    world.edge = 'refuses';
    await expect(world.manager.updateParams(id, { x: 1 })).rejects.toMatchObject({ code: 'no_capacity' });
    expect(world.manager.get(id).params).toMatchObject({ revision: 0, values: {} });
    world.edge = 'answers';
    await expect(world.manager.updateParams(id, { y: 2 })).resolves.toEqual({ revision: 2, values: { y: 2 } });
    expect(world.controls.get(id)).toEqual([1, 2]);
  });
});

describe('A session whose worker breaks at its start', () => {
  it('ends without telling clients what broke inside', async () => {
    await enter();
    world.worker = 'breaks';
    const created = world.manager.create({ processor: 'p', params: {}, output: OutputOptions.parse({}), trace: false });
    await expect(created).rejects.toMatchObject({ code: 'internal' });
    const [session] = sessions();
    expect(session).toMatchObject({ state: 'ended', endReason: 'start_failed' });
    expect(session.endDetail).toBe('Something failed inside. The log of the service says what.');
    expect(world.manager.capabilities()).toMatchObject([{ slotsFree: SLOTS }]);
  });
});

describe('A session that is stopped while its worker still starts it', () => {
  it('ends, and the worker that accepts too late is told to stop again', async () => {
    await enter({ BROKER_START_DEADLINE_MS: '5000', BROKER_STOP_DEADLINE_MS: '5000' });
    world.worker = 'hangs';
    await world.play({ do: 'create' });
    await until(() => sessions().length === 1);
    world.worker = 'answers';
    const removed = world.manager.remove(sessions()[0].id);
    await expect(removed).resolves.toMatchObject({ state: 'ended', endReason: 'stopped' });
    await until(() => world.heard.filter((what) => what === 'stop').length === 2);
    expect(world.heard).toEqual(['stop', 'accepted', 'stop']);
    expect(world.manager.capabilities()).toMatchObject([{ slotsFree: SLOTS }]);
  });

  it('is an error for whoever started it, with the reason', async () => {
    await enter({ BROKER_START_DEADLINE_MS: '5000', BROKER_STOP_DEADLINE_MS: '5000' });
    world.worker = 'hangs';
    const created = world.manager.create({ processor: 'p', params: {}, output: OutputOptions.parse({}), trace: false });
    const outcome = created.catch((error: unknown) => error);
    await until(() => sessions().length === 1);
    world.worker = 'answers';
    await world.manager.remove(sessions()[0].id);
    await expect(outcome).resolves.toMatchObject({
      code: 'session_ended',
      message: 'The session ended while it was started: It was stopped by request.',
    });
  });
});

describe('A broker that closes while a session is placed', () => {
  it('waits until the start has settled, and leaves no channel behind', async () => {
    await enter({ BROKER_PLACE_DEADLINE_MS: '5000' });
    world.edge = 'hangs';
    await world.play({ do: 'create' });
    let settled = false;
    const started = world.calls[0].then(() => (settled = true));
    await world.manager.close();
    expect(settled).toBe(true);
    await started;
    expect(world.created).toEqual([]);
    expect(world.hub.size).toBe(0);
  });
});

describe('A worker that has missed control messages', () => {
  it('gets the latest parameters once more, under the same revision, unless it has them', async () => {
    await enter();
    await world.play({ do: 'create' });
    await until(() => world.created.length === 1);
    const [id] = world.created;
    await world.manager.updateParams(id, { x: 1 });
    await world.manager.updateParams(id, { x: 2 });
    await world.play({ do: 'missed', nth: 0 });
    await until(() => world.controls.get(id)?.length === 3);
    expect(world.controls.get(id)).toEqual([1, 2, 2]);
    await world.play({ do: 'applied', nth: 0 });
    await until(() => world.manager.get(id).params.appliedRevision === 2);
    await world.play({ do: 'missed', nth: 0 });
    await turns(10);
    expect(world.controls.get(id)).toEqual([1, 2, 2]);
  });
});
