import { describe, expect, it } from '@jest/globals';
import { Payload } from './payload.mjs';

const make = ({ channel = 1, run = 9 } = {}) => new Payload({ run, channel, writeBytes: 100, writes: 3 });

function segment(payload: Payload, seq: number): Buffer {
  const bytes = Buffer.alloc(300);
  for (const write of [0, 1, 2]) payload.fill(bytes, write * 100, seq, write);
  return bytes;
}

describe('the bytes of a channel', () => {
  const payload = make();
  const bytes = segment(payload, 5);

  it('are known again in any pieces', () => {
    for (const at of [0, 1, 15, 16, 17, 99, 100, 115, 250, 299]) {
      expect([payload.matches(bytes, 0, at, 5, 0), payload.matches(bytes, at, 300, 5, at)]).toEqual([true, true]);
    }
  });

  it('differ wherever one byte does', () => {
    for (let at = 0; at < 300; at += 1) {
      const wrong = Buffer.from(bytes);
      wrong[at] ^= 1;
      expect(payload.matches(wrong, 0, 300, 5, 0)).toBe(false);
    }
  });

  it('are of no other run, channel, segment or place', () => {
    expect(make({ channel: 2 }).matches(bytes, 0, 300, 5, 0)).toBe(false);
    expect(make({ run: 8 }).matches(bytes, 0, 300, 5, 0)).toBe(false);
    expect(payload.matches(bytes, 0, 300, 6, 0)).toBe(false);
    // Not only by their headers: the middle of a write is of its place as well.
    expect(payload.matches(bytes, 20, 90, 6, 20)).toBe(false);
    expect(make({ channel: 2 }).matches(bytes, 20, 90, 5, 20)).toBe(false);
    expect(payload.matches(bytes, 20, 90, 5, 120)).toBe(false);
    expect(payload.matches(bytes, 21, 91, 5, 20)).toBe(false);
  });

  it('end with the segment', () => {
    expect(payload.matches(Buffer.concat([bytes, Buffer.alloc(1)]), 0, 301, 5, 0)).toBe(false);
  });
});
