import { afterEach, describe, expect, it } from '@jest/globals';
import type { ChannelStore } from './store.ts';

/** A store under test, and where its channels can be read over HTTP. */
export interface StoreUnderTest {
  readonly store: ChannelStore;
  close(): Promise<void>;
}

const MIME_TYPE = 'application/json';
const bytes = (text: string) => new TextEncoder().encode(text);

/** What every `ChannelStore` promises, whichever process has the channels. `maxChannels` is 8 in the stores that `open` gives. */
export function storeConformance(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`${name} as a store of channels`, () => {
    let opened: StoreUnderTest;
    const setUp = async () => (opened = await open()).store;
    afterEach(() => opened.close());

    it('makes channels that clients find under its base URL', async () => {
      const store = await setUp();
      await store.create({ name: 'a-1', mimeType: MIME_TYPE });
      const answer = await fetch(`${store.baseUrl('a-1')}a-1`);
      expect([answer.status, await answer.json()]).toEqual([200, expect.objectContaining({ channel: 'a-1', mimeType: MIME_TYPE })]);
    });

    it('refuses a second channel of a name', async () => {
      const store = await setUp();
      await store.create({ name: 'a-1', mimeType: MIME_TYPE });
      await expect(store.create({ name: 'a-1', mimeType: MIME_TYPE })).rejects.toMatchObject({ code: 'channel_exists' });
    });

    it('refuses more channels than it may have', async () => {
      const store = await setUp();
      const made = await Promise.allSettled(
        Array.from({ length: 40 }, (_, index) => store.create({ name: `c-${index}`, mimeType: MIME_TYPE })),
      );
      const failed = made.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
      expect(failed.length).toBeGreaterThanOrEqual(32);
      for (const error of failed) expect(error).toMatchObject({ code: 'limit_exceeded' });
    });

    it('writes segments in the order of the calls, without waiting in between', async () => {
      const store = await setUp();
      await store.create({ name: 'a-1', mimeType: MIME_TYPE });
      const texts = Array.from({ length: 20 }, (_, index) => `{"n":${index}}`);
      expect(await Promise.all(texts.map((text) => store.write('a-1', bytes(text))))).toEqual(texts.map((_, index) => index));
      const read = await Promise.all(texts.map(async (_, seq) => (await fetch(`${store.baseUrl('a-1')}a-1/${seq}`)).text()));
      expect(read).toEqual(texts);
    });

    it('refuses to write to a channel that has ended, or never was, and a segment that is too large', async () => {
      const store = await setUp();
      await store.create({ name: 'a-1', mimeType: MIME_TYPE });
      await expect(store.write('a-1', new Uint8Array(17 * 1024 * 1024))).rejects.toMatchObject({ code: 'payload_too_large' });
      await store.end(['a-1']);
      for (const name of ['a-1', 'never']) await expect(store.write(name, bytes('x'))).rejects.toMatchObject({ code: 'channel_closed' });
    });

    it('ends channels, and says how many were there', async () => {
      const store = await setUp();
      const names = ['a-1', 'b-2', 'c-3', 'd-4'];
      for (const name of names) await store.create({ name, mimeType: MIME_TYPE });
      await fetch(`${store.baseUrl('b-2')}b-2`, { method: 'DELETE' });
      expect([await store.end([...names, 'never']), await store.end(names)]).toEqual([3, 0]);
      for (const name of names) expect((await fetch(store.baseUrl(name) + name)).status).toBe(404);
    });

    it('tells when each channel was last written to, in the order of the question', async () => {
      const store = await setUp();
      const beforeMs = Date.now();
      for (const name of ['a-1', 'b-2', 'c-3']) await store.create({ name, mimeType: MIME_TYPE });
      await new Promise((resolve) => setTimeout(resolve, 30));
      await store.write('b-2', bytes('x'));
      const [b, never, a, c] = await store.lastWrites(['b-2', 'never', 'a-1', 'c-3']);
      expect(never).toBeNull();
      expect(a! >= beforeMs && c! >= beforeMs && b! > a! && b! > c! && b! <= Date.now()).toBe(true);
    });
  });
}
