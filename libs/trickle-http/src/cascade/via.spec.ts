import { describe, expect, it } from '@jest/globals';
import { extendVia, isEdgeId, randomEdgeId } from './via.ts';

describe('Lp-Trickle-Via', () => {
  it('names the edges that a request has come through, in order', () => {
    expect([extendVia(null, 'a'), extendVia('', 'a'), extendVia('x', 'a'), extendVia('x,y ,  z', 'a')]).toEqual([
      'a',
      'a',
      'x, a',
      'x, y, z, a',
    ]);
  });

  it('refuses to go through an edge twice', () => {
    expect(() => extendVia('x, a', 'a')).toThrow(expect.objectContaining({ code: 'loop_detected', status: 508 }));
    expect(extendVia('ab, xa', 'a')).toBe('ab, xa, a');
  });

  it('refuses the fifth edge, and what is too long to be a way of four', () => {
    expect(() => extendVia('p, q, r, s', 'a')).toThrow(expect.objectContaining({ code: 'loop_detected' }));
    expect(() => extendVia('p'.repeat(100_000), 'a')).toThrow(expect.objectContaining({ code: 'loop_detected' }));
  });

  it('refuses what names no edge', () => {
    for (const via of [',', 'a b', 'x\r\ny', 'ü']) {
      expect(() => extendVia(via, 'a')).toThrow(expect.objectContaining({ code: 'invalid_request' }));
    }
  });

  it('gives each process a name of its own by default', () => {
    expect([isEdgeId(randomEdgeId()), randomEdgeId() === randomEdgeId()]).toEqual([true, false]);
  });
});
