import { describe, expect, it } from '@jest/globals';
import { createLogger } from './index.ts';

describe('A logger', () => {
  it('writes JSON lines without secrets, in objects, children, errors and text', () => {
    const lines: string[] = [];
    const logger = createLogger({ name: 'edge', level: 'info', destination: { write: (line) => lines.push(line) } });
    logger
      .child({ token: 'hunter2' })
      .info({ req: { headers: { authorization: 'Bearer hunter2' } } }, 'at http://edge:1/trickle/hunter2-video-in');
    logger.error({ err: new Error('POST http://edge:1/trickle/hunter2-video-in failed') }, 'failed');
    logger.debug('not written');
    expect(lines).toHaveLength(2);
    expect(lines.join('')).not.toContain('hunter2');
    expect(JSON.parse(lines[0])).toMatchObject({ name: 'edge', level: 'info', msg: 'at http://edge:1/…o-in' });
    expect(JSON.parse(lines[1])).toMatchObject({ level: 'error', err: { type: 'Error', stack: expect.any(String) } });
  });

  it('refuses an unknown level', () => {
    expect(() => createLogger({ name: 'x', level: 'loud' })).toThrow(expect.objectContaining({ code: 'invalid_config' }));
  });
});
