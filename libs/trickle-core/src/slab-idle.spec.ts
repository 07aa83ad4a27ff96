import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { createHub } from './hub.ts';
import { SLAB_BYTES } from './slab.ts';

const MIB = 1024 * 1024;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Memory of buffers that is still needed. What a collection finds is given back a little later, by another thread. */
async function held(): Promise<number> {
  for (let turn = 0; turn < 3; turn += 1) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  return process.memoryUsage().arrayBuffers;
}

describe('channels that were busy once', () => {
  it('keep no memory for later when nobody writes to them any more', async () => {
    let nowMs = 0;
    const hub = createHub({ clock: () => nowMs, limits: { windowAgeMs: 100, windowSegments: 1 } });
    const before = await held();
    for (let channel = 0; channel < 60; channel += 1) {
      const made = hub.create({ name: `c${channel}`, mimeType: 'a/b' });
      // A burst within the window's age, so that it takes many slabs at a time.
      for (let seq = 0; seq < 80; seq += 1) {
        const writer = made.write(seq);
        writer.write(new Uint8Array(8000));
        writer.end();
      }
      nowMs += 200;
      hub.sweep(nowMs);
    }
    nowMs += 10_000;
    hub.sweep(nowMs);
    // The newest segments stay, in a slab or two for each.
    expect((await held()) - before).toBeLessThan(60 * 2 * SLAB_BYTES + MIB);
    expect(hub.size).toBe(60);
  });
});
