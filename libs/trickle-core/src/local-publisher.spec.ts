import { describe, expect, it } from '@jest/globals';
import { localPublisher } from './index.ts';
import { bytes, reader, setUp, take } from './testing/channel.ts';

describe('a publisher in the same process', () => {
  it('ends a segment empty that it gives up without a byte: nobody waits for it', async () => {
    const { channel, hub } = setUp();
    const publisher = localPublisher(hub, 'c');
    const waiting = reader(channel, 0);
    await (await publisher.open()).abort();
    expect([waiting.end, channel.nextWrite]).toEqual(['closed', 1]);
    const next = await publisher.open();
    await next.write(bytes('half'));
    await next.abort();
    expect([next.seq, reader(channel, 1).segment.end]).toEqual([1, 'cut']);
  });

  it('leaves the number that it has open to the next publisher when it closes', async () => {
    const { channel, hub } = setUp();
    const first = localPublisher(hub, 'c');
    await first.open();
    await first.close();
    const second = await localPublisher(hub, 'c').open();
    await second.write(bytes('x'));
    await second.end();
    expect([second.seq, channel.nextWrite, take(reader(channel, 0))]).toEqual([0, 1, 'x']);
  });
});
