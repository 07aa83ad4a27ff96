import { describe, expect, it } from '@jest/globals';
import { createHub } from '@runnel/trickle-core';
import { SessionChannels } from './session-channels.ts';

describe('SessionChannels', () => {
  function setUp(options: { maxChannels?: number } = {}) {
    const time = { nowMs: 0 };
    const hub = createHub({ clock: () => time.nowMs, limits: options });
    let made = 0;
    const channels = new SessionChannels({ hub, baseUrl: 'http://edge/trickle/', idleMs: 1000, secret: () => `s${(made += 1)}` });
    return { hub, channels, time };
  }

  it('keeps a quiet channel as long as another one of the session is written to', () => {
    const { hub, channels, time } = setUp();
    channels.create('a');
    time.nowMs = 900;
    channels.control('a', {});
    time.nowMs = 1800;
    hub.sweep(time.nowMs);
    expect([channels.sweep(time.nowMs), hub.size]).toEqual([[], 5]);
    time.nowMs = 1901;
    expect([channels.sweep(time.nowMs), hub.size, channels.size]).toEqual([['a'], 0, 0]);
  });

  it('makes all channels of a session or none', () => {
    const { hub, channels } = setUp({ maxChannels: 7 });
    channels.create('a');
    expect(() => channels.create('b')).toThrow(expect.objectContaining({ code: 'limit_exceeded' }));
    expect([hub.size, channels.size]).toEqual([5, 1]);
  });
});
