import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { RunnelError } from '@runnel/errors';
import { BUS, SessionId } from '@runnel/schemas';
import { z } from 'zod';
import { ANY, type Bus, type RequestDef } from './index.ts';

const SESSION = SessionId.parse('ses_k3v7p2mq5xw4ya6znb7c');
const SECOND = { deadlineMs: 1000 };
const ECHO = {
  subject: 'test.{who}.echo',
  message: z.strictObject({ n: z.number() }),
  reply: z.strictObject({ n: z.number() }),
} as const satisfies RequestDef;
const ITEM = {
  subject: 'test.{who}.item',
  message: z.strictObject({ n: z.number(), nested: z.object({ list: z.array(z.number()) }).optional() }),
} as const;

/** What every adapter of the bus port must do. `connect` gives a fresh bus with nobody else on it. */
export function describeBus(name: string, connect: () => Promise<Bus>): void {
  describe(`${name} as a bus`, () => {
    let bus: Bus;
    beforeEach(async () => {
      bus = await connect();
    });
    afterEach(() => bus.close());

    /** Resolves when a subscription has seen a message that the returned function publishes last. */
    async function collect(who: string): Promise<{ seen: number[]; from: string[]; settled: (last: number) => Promise<void> }> {
      const seen: number[] = [];
      const from: string[] = [];
      await bus.subscribe(ITEM, { who }, ({ n }, vars) => {
        seen.push(n);
        from.push(vars.who);
      });
      return {
        seen,
        from,
        settled: async (last) => {
          while (!seen.includes(last)) await new Promise((resolve) => setTimeout(resolve, 1));
        },
      };
    }

    describe('events', () => {
      it('reach every subscriber of the subject, in order, and nobody else', async () => {
        const [one, two, other] = [await collect('a'), await collect('a'), await collect('b')];
        for (let n = 0; n < 50; n += 1) await bus.publish(ITEM, { who: 'a' }, { n });
        await Promise.all([one.settled(49), two.settled(49)]);
        expect(one.seen).toEqual(Array.from({ length: 50 }, (_, n) => n));
        expect(two.seen).toEqual(one.seen);
        expect(other.seen).toEqual([]);
      });

      it('are heard from every value of a token with ANY, and tell which', async () => {
        const all = await collect(ANY);
        await bus.publish(ITEM, { who: 'a' }, { n: 1 });
        await bus.publish(ITEM, { who: 'b' }, { n: 2 });
        await all.settled(2);
        expect(all.from).toEqual(['a', 'b']);
      });

      it('are delivered after publish has returned to its caller, never inside it', async () => {
        let delivered = false;
        await bus.subscribe(ITEM, { who: 'a' }, () => {
          delivered = true;
        });
        const published = bus.publish(ITEM, { who: 'a' }, { n: 1 });
        expect(delivered).toBe(false);
        await published;
      });

      it('are copies: neither side sees what the other does to its object', async () => {
        const got: unknown[] = [];
        const mine = { n: 1, nested: { list: [1] } };
        await bus.subscribe(ITEM, { who: 'a' }, (message) => {
          got.push(structuredClone(message));
          message.nested?.list.push(99);
        });
        await bus.subscribe(ITEM, { who: 'a' }, (message) => {
          got.push(message);
        });
        await bus.publish(ITEM, { who: 'a' }, mine);
        mine.nested.list.push(2);
        while (got.length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
        expect(got).toEqual([
          { n: 1, nested: { list: [1] } },
          { n: 1, nested: { list: [1] } },
        ]);
        expect(mine.nested.list).toEqual([1, 2]);
      });

      it('keep coming after a handler threw, and the failure is counted', async () => {
        const seen: number[] = [];
        await bus.subscribe(ITEM, { who: 'a' }, ({ n }) => {
          seen.push(n);
          if (n === 1) throw new Error('handler');
        });
        await bus.publish(ITEM, { who: 'a' }, { n: 1 });
        await bus.publish(ITEM, { who: 'a' }, { n: 2 });
        while (seen.length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
        expect(seen).toEqual([1, 2]);
        expect(bus.stats.handlerFailures).toBe(1);
      });

      it('do not reach a closed subscription; closing waits for the handler that runs', async () => {
        const log: string[] = [];
        const entered = Promise.withResolvers<void>();
        const subscription = await bus.subscribe(ITEM, { who: 'a' }, async () => {
          entered.resolve();
          await new Promise((resolve) => setTimeout(resolve, 30));
          log.push('handled');
        });
        await bus.publish(ITEM, { who: 'a' }, { n: 1 });
        await entered.promise;
        await subscription.close();
        log.push('closed');
        await subscription.close();
        await bus.publish(ITEM, { who: 'a' }, { n: 2 });
        await new Promise((resolve) => setTimeout(resolve, 60));
        expect(log).toEqual(['handled', 'closed']);
      });

      it('that do not fit their schema are refused at the sender', async () => {
        await expect(bus.publish(ITEM, { who: 'a' }, { n: 'one' as unknown as number })).rejects.toMatchObject({ code: 'invalid_request' });
        await expect(bus.publish(ITEM, { who: 'a.b' }, { n: 1 })).rejects.toMatchObject({ code: 'invalid_request' });
        await expect(bus.publish(ITEM, { who: ANY }, { n: 1 })).rejects.toMatchObject({ code: 'invalid_request' });
      });
    });

    describe('requests', () => {
      it('bring the reply of the responder on that subject', async () => {
        await bus.respond(ECHO, { who: 'a' }, ({ n }, { who }) => ({ n: n + who.length }));
        await expect(bus.request(ECHO, { who: 'a' }, { n: 1 }, SECOND)).resolves.toEqual({ n: 2 });
      });

      it('fail at once with no_responder when nobody is there, and after the responder has left', async () => {
        await expect(bus.request(ECHO, { who: 'a' }, { n: 1 }, { deadlineMs: 60_000 })).rejects.toMatchObject({ code: 'no_responder' });
        const responder = await bus.respond(ECHO, { who: 'a' }, ({ n }) => ({ n }));
        await responder.close();
        await expect(bus.request(ECHO, { who: 'a' }, { n: 1 }, { deadlineMs: 60_000 })).rejects.toMatchObject({ code: 'no_responder' });
      });

      it('fail with deadline_exceeded when the answer stays out', async () => {
        const release = Promise.withResolvers<void>();
        await bus.respond(ECHO, { who: 'a' }, async ({ n }) => {
          await release.promise;
          return { n };
        });
        await expect(bus.request(ECHO, { who: 'a' }, { n: 1 }, { deadlineMs: 20 })).rejects.toMatchObject({ code: 'deadline_exceeded' });
        release.resolve();
      });

      it('bring a RunnelError of the responder with its code, message and details, and any other error as internal', async () => {
        await bus.respond(BUS.edgeClose, {}, () => {
          throw new RunnelError('session_not_found', { message: 'No such session.', details: { seq: 7 }, cause: new Error('inner') });
        });
        await expect(bus.request(BUS.edgeClose, {}, { sessionId: SESSION }, SECOND)).rejects.toMatchObject({
          code: 'session_not_found',
          message: 'No such session.',
          details: { seq: 7 },
        });
        await bus.respond(ECHO, { who: 'a' }, () => {
          throw new TypeError('inside');
        });
        await expect(bus.request(ECHO, { who: 'a' }, { n: 1 }, SECOND)).rejects.toMatchObject({ code: 'internal' });
      });

      it('run side by side at one responder', async () => {
        const both = Promise.withResolvers<void>();
        let running = 0;
        await bus.respond(ECHO, { who: 'a' }, async ({ n }) => {
          running += 1;
          if (running === 2) both.resolve();
          await both.promise;
          return { n };
        });
        await expect(Promise.all([1, 2].map((n) => bus.request(ECHO, { who: 'a' }, { n }, SECOND)))).resolves.toEqual([{ n: 1 }, { n: 2 }]);
      });

      it('go to one of several responders', async () => {
        const counts = [0, 0];
        for (const at of [0, 1]) {
          await bus.respond(ECHO, { who: 'a' }, ({ n }) => {
            counts[at] += 1;
            return { n };
          });
        }
        for (let n = 0; n < 40; n += 1) await bus.request(ECHO, { who: 'a' }, { n }, SECOND);
        expect(counts[0] + counts[1]).toBe(40);
        expect(Math.min(...counts)).toBeGreaterThan(0);
      });

      it('with a reply that does not fit its schema fail as the fault of the responder', async () => {
        await bus.respond(ECHO, { who: 'a' }, () => ({ n: 'x' }) as unknown as { n: number });
        await expect(bus.request(ECHO, { who: 'a' }, { n: 1 }, SECOND)).rejects.toMatchObject({ code: 'internal' });
      });
    });

    it('refuses a message above the size limit', async () => {
      const def = { subject: 'test.text', message: z.string() } as const;
      await expect(bus.publish(def, {}, 'x'.repeat(1024 * 1024))).rejects.toMatchObject({ code: 'payload_too_large' });
    });

    it('when closed, fails what is open and all that comes, and closes twice', async () => {
      await bus.respond(ECHO, { who: 'a' }, async ({ n }) => {
        await new Promise((resolve) => setTimeout(resolve, 50));
        return { n };
      });
      const open = bus.request(ECHO, { who: 'a' }, { n: 1 }, SECOND);
      const failed = expect(open).rejects.toMatchObject({ code: 'shutting_down' });
      await new Promise((resolve) => setTimeout(resolve, 10));
      await bus.close();
      await bus.close();
      await failed;
      await expect(bus.publish(ITEM, { who: 'a' }, { n: 1 })).rejects.toMatchObject({ code: 'shutting_down' });
      await expect(bus.request(ECHO, { who: 'a' }, { n: 1 }, SECOND)).rejects.toMatchObject({ code: 'shutting_down' });
      await expect(bus.subscribe(ITEM, { who: 'a' }, () => {})).rejects.toMatchObject({ code: 'shutting_down' });
    });
  });
}
