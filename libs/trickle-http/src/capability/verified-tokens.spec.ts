import { describe, expect, it } from '@jest/globals';
import { VerifiedTokens } from './verified-tokens.ts';

describe('VerifiedTokens', () => {
  it('never holds more than two generations', () => {
    const tokens = new VerifiedTokens<number>(10);
    for (let nth = 0; nth < 1000; nth += 1) {
      tokens.add(`t${nth}`, nth);
      expect(tokens.size).toBeLessThanOrEqual(20);
    }
    expect([tokens.get('t999'), tokens.get('t0')]).toEqual([999, undefined]);
  });

  it('keeps what is used, whatever else comes by', () => {
    const tokens = new VerifiedTokens<number>(10);
    tokens.add('used', 1);
    for (let nth = 0; nth < 1000; nth += 1) {
      tokens.add(`t${nth}`, nth);
      expect(tokens.get('used')).toBe(1);
    }
    expect(tokens.size).toBeLessThanOrEqual(20);
  });

  it('forgets all at once, and remembers nothing when it is told to', () => {
    const tokens = new VerifiedTokens<number>(1);
    for (const name of ['a', 'b']) tokens.add(name, 1);
    expect(tokens.size).toBe(2);
    tokens.clear();
    expect([tokens.size, tokens.get('a'), tokens.get('b')]).toEqual([0, undefined, undefined]);
    const none = new VerifiedTokens<number>(0);
    none.add('a', 1);
    expect(none.get('a')).toBeUndefined();
  });
});
