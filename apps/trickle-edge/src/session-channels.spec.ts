import { describe, expect, it } from '@jest/globals';
import { createHub } from '@runnel/trickle-core';
import { createAuthorizer, createSigningKey, inspectToken, parseCapabilityUrl, type Right, type SigningKey } from '@runnel/trickle-http';
import { HubChannels } from './channels/hub-channels.ts';
import { SessionChannels } from './session-channels.ts';

const TTL_MS = 100_000;
const key = (id: string) => createSigningKey({ id, secret: new Uint8Array(32).fill(id.length) });

describe('SessionChannels', () => {
  function setUp(options: { maxChannels?: number; key?: SigningKey } = {}) {
    const world = { nowMs: 0, key: options.key ?? null };
    const hub = createHub({
      clock: () => world.nowMs,
      limits: options.maxChannels === undefined ? {} : { maxChannels: options.maxChannels },
    });
    let made = 0;
    const channels = new SessionChannels({
      store: new HubChannels({ hub, baseUrl: 'http://edge/trickle/' }),
      idleMs: 1000,
      secret: () => `s${(made += 1)}`,
      clock: () => world.nowMs,
      key: () => world.key,
      ttlMs: TTL_MS,
    });
    return { hub, channels, world };
  }

  it('keeps a quiet channel as long as another one of the session is written to', async () => {
    const { hub, channels, world } = setUp();
    await channels.create('a');
    world.nowMs = 900;
    await channels.control('a', {});
    world.nowMs = 1800;
    hub.sweep(world.nowMs);
    expect([await channels.sweep(world.nowMs), hub.size]).toEqual([[], 5]);
    world.nowMs = 1901;
    expect([await channels.sweep(world.nowMs), hub.size, channels.size]).toEqual([[{ sessionId: 'a', reason: 'idle' }], 0, 0]);
  });

  it('makes all channels of a session or none', async () => {
    const { hub, channels } = setUp({ maxChannels: 7 });
    await channels.create('a');
    await expect(channels.create('b')).rejects.toMatchObject({ code: 'limit_exceeded' });
    expect([hub.size, channels.size]).toEqual([5, 1]);
  });

  it('hands out the same plain URLs to both sides in open mode, and lets a session last', async () => {
    const { channels, world } = setUp();
    const { client, worker } = await channels.create('a');
    expect(worker).toEqual({ ...client, control: 'http://edge/trickle/control-s3' });
    expect(client.videoIn).toBe('http://edge/trickle/video-in-s1');
    for (world.nowMs = 0; world.nowMs < 2 * TTL_MS; world.nowMs += 1000) {
      await channels.control('a', {});
      expect(await channels.sweep(world.nowMs)).toEqual([]);
    }
  });

  it('signs for each side what it does and no more: publish and end what it makes, read the rest', async () => {
    const { channels } = setUp({ key: key('k') });
    const urls = await channels.create('a');
    const authorizer = createAuthorizer({ keys: [key('k')] });
    const all: (Right | 'any')[] = ['publish', 'subscribe', 'manage', 'any'];
    const rightsOf = (url: string) => {
      const found = parseCapabilityUrl(url)!;
      return all.filter((right) => authorizer.check({ ...found, right, nowMs: 0 }) === 'granted');
    };
    const rights = (side: object) =>
      Object.fromEntries(Object.entries(side).map(([kind, url]) => [kind, rightsOf(url as string).join(' ')]));
    expect(rights(urls.client)).toEqual({
      videoIn: 'publish manage any',
      videoOut: 'subscribe any',
      events: 'subscribe any',
      data: 'subscribe any',
    });
    expect(rights(urls.worker)).toEqual({
      videoIn: 'subscribe any',
      control: 'subscribe any',
      videoOut: 'publish manage any',
      events: 'publish manage any',
      data: 'publish manage any',
    });
  });

  it('ends a session in order before its URLs expire', async () => {
    const { hub, channels, world } = setUp({ key: key('k') });
    const { client } = await channels.create('a');
    const { expiresMs } = inspectToken(parseCapabilityUrl(client.videoIn)!.token)!;
    const drains = 5 * 60_000;
    for (; world.nowMs < TTL_MS; world.nowMs += 1000) {
      await channels.control('a', {});
      expect(await channels.sweep(world.nowMs)).toEqual([]);
    }
    await channels.control('a', {});
    expect([await channels.sweep(world.nowMs), hub.size]).toEqual([[{ sessionId: 'a', reason: 'expired' }], 0]);
    expect(expiresMs).toBe(world.nowMs + drains);
  });

  it('tells the same URLs again, and signs them by the newest key when the keys have changed', async () => {
    const { channels, world } = setUp({ key: key('k') });
    const first = await channels.create('a');
    world.nowMs = 500;
    expect(await channels.create('a')).toEqual(first);
    world.key = key('newer');
    const again = await channels.create('a');
    const [before, after] = [first, again].map(({ worker }) => parseCapabilityUrl(worker.control)!);
    expect(after.channel).toBe(before.channel);
    expect(inspectToken(after.token)).toEqual({ ...inspectToken(before.token), keyId: 'newer' });
  });

  it('makes the channels of a session once, however many ask at the same time', async () => {
    const { hub, channels } = setUp();
    const [first, ...others] = await Promise.all([channels.create('a'), channels.create('a'), channels.create('a')]);
    for (const other of others) expect(other).toEqual(first);
    expect([hub.size, channels.size]).toEqual([5, 1]);
  });

  it('ends a session that is closed while it is made', async () => {
    const { hub, channels } = setUp();
    const made = channels.create('a');
    expect(await channels.close('a')).toBe(5);
    await made;
    expect([hub.size, channels.size]).toEqual([0, 0]);
  });

  it('ends the sessions that have lost a channel, all of their channels, and no other', async () => {
    const { hub, channels } = setUp();
    const { worker } = await channels.create('a');
    await channels.create('b');
    const lost = worker.data.slice(worker.data.lastIndexOf('/') + 1);
    hub.end(lost);
    expect(await channels.lose((channel) => channel === lost)).toEqual(['a']);
    expect([hub.size, channels.size]).toEqual([5, 1]);
    await expect(channels.control('a', {})).rejects.toMatchObject({ code: 'session_not_found' });
  });

  it('does not hand out a session whose channels were made while some were lost', async () => {
    const { hub, channels } = setUp();
    const made = channels.create('a');
    await channels.lose(() => false);
    await expect(made).rejects.toMatchObject({ code: 'no_responder', retryable: true });
    expect([hub.size, channels.size]).toEqual([0, 0]);
  });

  it('asks for the last writes of those sessions alone that may be idle', async () => {
    const { hub, world } = setUp();
    const asked: number[] = [];
    const store = new HubChannels({ hub, baseUrl: 'http://edge/trickle/' });
    const lastWrites = store.lastWrites.bind(store);
    store.lastWrites = (names) => (asked.push(names.length), lastWrites(names));
    let made = 0;
    const secret = () => `x${(made += 1)}`;
    const channels = new SessionChannels({ store, idleMs: 1000, secret, clock: () => world.nowMs, key: () => null, ttlMs: TTL_MS });
    await channels.create('a');
    for (world.nowMs = 500; world.nowMs <= 3000; world.nowMs += 500) {
      await channels.control('a', {});
      expect(await channels.sweep(world.nowMs)).toEqual([]);
    }
    expect(asked).toEqual([5, 5]);
  });
});
