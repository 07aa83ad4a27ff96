import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { eventually } from '../testing/bench.ts';
import { TlsBench } from '../testing/tls-bench.ts';

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

describe('what a subscriber over TLS has been sent', () => {
  it('is not kept, however long the connection lives and though every write to it takes its time', async () => {
    const bench = await TlsBench.start({ limits: { windowAgeMs: 0, windowSegments: 2 } });
    try {
      const wire = await bench.http1();
      let before = 0;
      for (let seq = 0; seq < 500; seq += 1) {
        wire.request('GET', `/trickle/c/${seq}`);
        await eventually(() => bench.channel.readers === 1);
        const writer = bench.channel.write(seq);
        for (let count = 0; count < 10; count += 1) {
          writer.write(new Uint8Array(6000).fill(seq));
          // One write after the other, each on its way alone.
          await new Promise((resolve) => setImmediate(resolve));
        }
        writer.end();
        expect((await wire.answer()).body.length).toBe(60_000);
        // Once the pools are as large as they get.
        if (seq === 50) before = await held();
      }
      expect((await held()) - before).toBeLessThan(4 * MIB);
    } finally {
      await bench.close();
    }
  }, 60_000);
});
