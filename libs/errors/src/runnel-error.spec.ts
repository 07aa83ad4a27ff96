import { describe, expect, it } from '@jest/globals';
import { RunnelError, toRunnelError } from './index.ts';

describe('RunnelError', () => {
  it('takes status, retryability and advice from the catalogue', () => {
    const error = new RunnelError('no_capacity', { message: 'All 4 slots are taken.' });
    expect([error.status, error.retryable, error.hint]).toEqual([503, true, 'Try again in a few seconds.']);
  });

  it('ends a command with 2 when the user can correct it, with 1 otherwise', () => {
    expect(new RunnelError('file_not_found', { message: 'x' }).exitCode).toBe(2);
    expect(new RunnelError('internal', { message: 'x' }).exitCode).toBe(1);
  });
});

describe('toRunnelError', () => {
  it('keeps a RunnelError as it is and wraps the rest with its cause', () => {
    const own = new RunnelError('not_video', { message: 'x' });
    expect(toRunnelError(own)).toBe(own);
    const foreign = new TypeError('boom');
    expect(toRunnelError(foreign)).toMatchObject({ code: 'internal', cause: foreign });
  });
});
