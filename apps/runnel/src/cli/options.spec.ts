import { describe, expect, it } from '@jest/globals';
import { collectParam, duration, httpUrl, seconds, wholeNumber } from './options.ts';

const code = (work: () => unknown) => {
  try {
    work();
    return 'no error';
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('--param', () => {
  it('takes JSON values as what they are and the rest as text', () => {
    const params = ['radius=8', 'clock=true', 'text=hello world', 'color=#18b7a0', 'list=[1,2]', 'quoted="8"', 'empty=', 'a=b=c'].reduce(
      (all, text) => collectParam(text, all),
      {},
    );
    expect(params).toEqual({
      radius: 8,
      clock: true,
      text: 'hello world',
      color: '#18b7a0',
      list: [1, 2],
      quoted: '8',
      empty: '',
      a: 'b=c',
    });
  });

  it('refuses a text without key or value', () => {
    expect([code(() => collectParam('radius', {})), code(() => collectParam('=8', {}))]).toEqual(['invalid_usage', 'invalid_usage']);
  });
});

describe('numbers', () => {
  it.each(['-1', '1.5', '', '0x10', '70000', 'ten'])('refuse the port %s', (text) => {
    expect(code(() => wholeNumber('--port', { min: 0, max: 65_535 })(text))).toBe('invalid_usage');
  });

  it.each(['0', '-3', '', 'NaN', '1e9'])('refuse %s seconds', (text) => {
    expect(code(() => seconds('--seconds')(text))).toBe('invalid_usage');
  });

  it('take what is within bounds', () => {
    expect([wholeNumber('--port', { min: 0, max: 65_535 })('8080'), seconds('--seconds')('2.5')]).toEqual([8080, 2.5]);
  });
});

describe('durations', () => {
  it('are a number and a unit', () => {
    expect(['1s', '90s', '30m', '12h', '7d'].map(duration('--ttl', { maxDays: 7 }))).toEqual([
      1000, 90_000, 1_800_000, 43_200_000, 604_800_000,
    ]);
  });

  it.each(['0s', '1', 's', '-1s', '1.5h', '1 h', '1w', '8d', '999999999d', ''])('refuse %j', (text) => {
    expect(code(() => duration('--ttl', { maxDays: 7 })(text))).toBe('invalid_usage');
  });
});

describe('URLs', () => {
  it('lose a trailing slash, and must be http', () => {
    expect(httpUrl('play', 'http://127.0.0.1:8081/trickle/x/')).toBe('http://127.0.0.1:8081/trickle/x');
    expect([code(() => httpUrl('play', 'file:///etc/passwd')), code(() => httpUrl('play', 'x'))]).toEqual([
      'invalid_usage',
      'invalid_usage',
    ]);
  });
});
