import { describe, expect, it } from '@jest/globals';
import { CHANGES_CHANNEL, CHUNK_OVERHEAD_BYTES, createHub, type Hub, publishChanges } from './index.ts';
import { put, reader, take } from './testing/channel.ts';

function setUp(limits: { hubBytes?: number } = {}) {
  const time = { nowMs: 1_000_000 };
  const hub = createHub({ clock: () => time.nowMs, limits });
  publishChanges(hub);
  return { hub, changes: hub.get(CHANGES_CHANNEL)! };
}

const create = (hub: Hub, name: string) => hub.create({ name, mimeType: 'x' });

describe('the channel of changes', () => {
  it('has a segment for each channel that comes or goes, in order', () => {
    const { hub, changes } = setUp();
    create(hub, 'a');
    create(hub, 'b');
    hub.end('a');
    expect([0, 1, 2].map((seq) => take(reader(changes, seq)))).toEqual(['{"added":["a"]}', '{"added":["b"]}', '{"removed":["a"]}']);
  });

  it('tells later what the relay had no space for, and hinders nobody meanwhile', () => {
    const { hub, changes } = setUp({ hubBytes: 7 * CHUNK_OVERHEAD_BYTES });
    put(create(hub, 'a'), 0, 'x'.repeat(4 * CHUNK_OVERHEAD_BYTES));
    create(hub, 'b');
    create(hub, 'c');
    expect([hub.size, changes.nextWrite]).toEqual([4, 1]);
    hub.end('a');
    const told = [0, 1, 2, 3].map((seq) => take(reader(changes, seq)));
    expect(told).toEqual(['{"added":["a"]}', '{"added":["b"]}', '{"added":["c"]}', '{"removed":["a"]}']);
  });

  it('ends when too much is untold, instead of hiding that something is missing', () => {
    const { hub, changes } = setUp({ hubBytes: 3 * CHUNK_OVERHEAD_BYTES });
    put(create(hub, 'a'), 0, 'x'.repeat(CHUNK_OVERHEAD_BYTES - 15));
    for (let turn = 0; turn < 500; turn += 1) {
      create(hub, 'b');
      hub.end('b');
    }
    expect(changes.ended).toBe(false);
    create(hub, 'b');
    expect([changes.ended, hub.get('b')?.ended]).toEqual([true, false]);
  });

  it('may be ended like any other, and hinders nobody while it waits for its readers', () => {
    const { hub, changes } = setUp();
    create(hub, 'a');
    reader(changes, 0);
    hub.end(CHANGES_CHANNEL, { drainMs: 1000 });
    expect(changes.draining).toBe(true);
    create(hub, 'b');
    expect([hub.end('a'), hub.size]).toEqual([true, 2]);
  });
});
