import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { describeBus } from './conformance.ts';
import { createMemoryBus } from './index.ts';

const ITEM = { subject: 'test.item', message: z.number() } as const;
const ECHO = { subject: 'test.echo', message: z.number(), reply: z.number() } as const;

describeBus('The in-process bus', async () => createMemoryBus());

describe('The in-process bus under load', () => {
  it('drops what a slow subscriber has no room for, and counts it', async () => {
    const bus = createMemoryBus({ queueLength: 3 });
    const release = Promise.withResolvers<void>();
    const seen: number[] = [];
    await bus.subscribe(ITEM, {}, async (n) => {
      await release.promise;
      seen.push(n);
    });
    for (let n = 0; n < 10; n += 1) await bus.publish(ITEM, {}, n);
    expect(bus.stats.droppedFull).toBe(7);
    release.resolve();
    while (seen.length < 3) await new Promise((resolve) => setTimeout(resolve, 1));
    await bus.close();
    expect(seen).toEqual([0, 1, 2]);
  });

  it('refuses a request beyond the cap with overloaded', async () => {
    const bus = createMemoryBus({ concurrentRequests: 1 });
    const release = Promise.withResolvers<void>();
    await bus.respond(ECHO, {}, async (n) => {
      await release.promise;
      return n;
    });
    const first = bus.request(ECHO, {}, 1, { deadlineMs: 1000 });
    await expect(bus.request(ECHO, {}, 2, { deadlineMs: 1000 })).rejects.toMatchObject({ code: 'overloaded' });
    release.resolve();
    await expect(first).resolves.toBe(1);
    await bus.close();
  });

  it('answers no_responder to requests that wait at a responder which leaves', async () => {
    const bus = createMemoryBus();
    const responder = await bus.respond(ECHO, {}, (n) => n);
    const asked = bus.request(ECHO, {}, 1, { deadlineMs: 60_000 });
    await responder.close();
    await expect(asked).rejects.toMatchObject({ code: 'no_responder' });
    await bus.close();
  });

  it('closes in spite of a handler that never ends', async () => {
    const bus = createMemoryBus({ closeDeadlineMs: 20 });
    const entered = Promise.withResolvers<void>();
    await bus.subscribe(ITEM, {}, () => {
      entered.resolve();
      return new Promise<void>(() => {});
    });
    await bus.publish(ITEM, {}, 1);
    await entered.promise;
    await bus.close();
    await expect(bus.publish(ITEM, {}, 2)).rejects.toMatchObject({ code: 'shutting_down' });
  });

  it('tells whoever listens which handler failed', async () => {
    const errors: [unknown, string][] = [];
    const bus = createMemoryBus({ onError: (error, subject) => errors.push([error, subject]) });
    const boom = new Error('boom');
    await bus.subscribe(ITEM, {}, () => {
      throw boom;
    });
    await bus.publish(ITEM, {}, 1);
    while (errors.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    expect(errors).toEqual([[boom, 'test.item']]);
    await bus.close();
  });
});
