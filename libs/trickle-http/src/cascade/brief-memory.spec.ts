import { describe, expect, it } from '@jest/globals';
import { BriefMemory } from './brief-memory.ts';

describe('a brief memory', () => {
  it('forgets in time, and the oldest when it is full', () => {
    let nowMs = 0;
    const memory = new BriefMemory<string>({ clock: () => nowMs, maxEntries: 2 });
    memory.set('a', '1', 100);
    memory.set('b', '2', 50);
    expect([memory.get('a'), memory.get('b')]).toEqual(['1', '2']);
    nowMs = 50;
    expect([memory.get('a'), memory.get('b')]).toEqual(['1', undefined]);
    memory.set('c', '3', 10);
    memory.set('d', '4', 10);
    expect([memory.get('a'), memory.get('c'), memory.get('d'), memory.size]).toEqual([undefined, '3', '4', 2]);
  });
});
