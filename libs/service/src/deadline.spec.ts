import { describe, expect, it } from '@jest/globals';
import { endsWithin, within } from './deadline.ts';

const never = new Promise<never>(() => undefined);

describe('a wait with a deadline', () => {
  it('gives what the work gives, and fails as it fails', async () => {
    expect(await within(Promise.resolve(7), 1000, 'Late.')).toBe(7);
    expect(await endsWithin(Promise.resolve(), 1000)).toBe(true);
    await expect(within(Promise.reject(new TypeError('own')), 1000, 'Late.')).rejects.toThrow('own');
    await expect(endsWithin(Promise.reject(new TypeError('own')), 1000)).rejects.toThrow('own');
  });

  it('ends when the work does not', async () => {
    expect(await endsWithin(never, 5)).toBe(false);
    await expect(within(never, 5, 'Late.')).rejects.toMatchObject({ code: 'deadline_exceeded', message: 'Late.' });
  });
});
