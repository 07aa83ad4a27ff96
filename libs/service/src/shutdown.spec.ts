import { describe, expect, it } from '@jest/globals';
import { createLogger, ShutdownSequence } from './index.ts';

const lines: string[] = [];
const logger = createLogger({ name: 'test', level: 'info', destination: { write: (line) => lines.push(line) } });

describe('A shutdown sequence', () => {
  it('closes in reverse order, one after the other, once', async () => {
    const log: string[] = [];
    const sequence = new ShutdownSequence(logger);
    for (const name of ['bus', 'store', 'http']) {
      sequence.add(name, async () => {
        log.push(`${name} closing`);
        await new Promise((resolve) => setTimeout(resolve, 5));
        log.push(`${name} closed`);
      });
    }
    await Promise.all([sequence.close(), sequence.close()]);
    expect(log).toEqual(['http closing', 'http closed', 'store closing', 'store closed', 'bus closing', 'bus closed']);
  });

  it('goes on after a step that fails, and after one that hangs, and says so', async () => {
    const log: string[] = [];
    const sequence = new ShutdownSequence(logger);
    sequence.add('first', async () => {
      log.push('first');
    });
    sequence.add('hangs', () => new Promise(() => {}), { deadlineMs: 10 });
    sequence.add('fails', () => Promise.reject(new Error('boom')));
    await sequence.close();
    expect(log).toEqual(['first']);
    expect(lines.join('')).toMatch(/"step":"fails"[^]*"step":"hangs"/);
  });
});
