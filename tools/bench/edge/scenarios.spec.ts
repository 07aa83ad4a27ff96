import { describe, expect, it } from '@jest/globals';
import { parseOptions } from './options.mjs';
import { planOf, rotated, serversFor } from './scenarios.mjs';

const options = (...args: string[]) => parseOptions(args);

describe('the scenarios of the bench', () => {
  it('have their figures, and take others from the command line', () => {
    expect(planOf('real-time', options(), null)).toMatchObject({ channels: 150, readers: 1, perSecond: 30, writeBytes: 8192, seconds: 10 });
    expect(planOf('real-time', options('--bytes', '20000', '--writes', '4', '--rate', '5'), null)).toMatchObject({
      writeBytes: 5000,
      writes: 4,
      perSecond: 5,
    });
  });

  it('have as many readers as connections may be open, and say when they are fewer than wanted', () => {
    expect(planOf('idle', options(), 20_000)).toMatchObject({ readers: 100 });
    expect(planOf('idle', options(), 20_000)).not.toHaveProperty('readersWanted');
    expect(planOf('idle', options(), 1024)).toMatchObject({ readers: 6, readersWanted: 100 });
    expect(planOf('fan-out', options(), 1024)).toMatchObject({ readers: 411, readersWanted: 500 });
    expect(planOf('idle', options(), null).readers).toBe(100);
  });

  it('begin each rep with another server', () => {
    const orders = [0, 1, 2, 3].map((rep) => rotated(['a', 'b', 'c'], rep).join(''));
    expect(orders).toEqual(['abc', 'bca', 'cab', 'abc']);
  });

  it('load the sink alone when the generator is measured, and never otherwise', () => {
    const servers = ['edge', 'node-http', 'sink', 'url'].map((name) => ({ name }));
    const names = (scenario: string, wanted: string[] | null = null) =>
      serversFor(scenario, { servers, wanted }).map((server: { name: string }) => server.name);
    expect(names('real-time')).toEqual(['edge', 'node-http', 'url']);
    expect(names('generator')).toEqual(['sink']);
    expect(names('bulk', ['edge'])).toEqual(['edge']);
  });

  it('refuse what makes no sense', () => {
    expect(() => options('--scenario', 'fast')).toThrow('No scenario fast');
    expect(() => options('--reps', '0')).toThrow('--reps wants a number above 0.');
    expect(() => options('--pid', '1')).toThrow('--pid belongs to --url.');
    expect(() => options('--wat')).toThrow();
  });
});
