import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { OwnerDirectory } from './directory.ts';

/** What a directory is to know before a test: channels and the base URLs of their owners. */
export type KnownOwners = Readonly<Record<string, string>>;

/** What every adapter of the directory port must do. `make` gives a directory that knows some owners, and the function that ends it. */
export function describeOwnerDirectory(
  name: string,
  make: (owners: KnownOwners) => Promise<{ directory: OwnerDirectory; close: () => Promise<void> }>,
): void {
  describe(`${name} as a directory of owners`, () => {
    let directory: OwnerDirectory;
    let close: () => Promise<void>;
    beforeEach(async () => {
      ({ directory, close } = await make({ one: 'http://a.test:8945/trickle/', 'two.~_-2': 'https://b.test/x/' }));
    });
    afterEach(() => close());

    it('gives the URL of a channel at its owner', async () => {
      const [one, two] = await Promise.all([directory.find('one'), directory.find('two.~_-2')]);
      expect([one?.url(), two?.url()]).toEqual(['http://a.test:8945/trickle/one', 'https://b.test/x/two.~_-2']);
    });

    it('gives the URL again and again', async () => {
      const owner = await directory.find('one');
      expect(owner?.url()).toBe(owner?.url());
    });

    it('says null of a channel that it does not know, and does not fail', async () => {
      expect(await Promise.all([directory.find('three'), directory.find('__proto__'), directory.find('On')])).toEqual([null, null, null]);
    });

    it('answers many at once, each its own', async () => {
      const names = Array.from({ length: 200 }, (_, index) => (index % 2 === 0 ? 'one' : 'nobody'));
      const found = await Promise.all(names.map((channel) => directory.find(channel)));
      expect(found.map((owner) => owner?.url() ?? null)).toEqual(
        names.map((channel) => (channel === 'one' ? 'http://a.test:8945/trickle/one' : null)),
      );
    });
  });
}
