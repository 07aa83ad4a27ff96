import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { Members } from './members.ts';

describe('members', () => {
  it('are those of a set after any additions and removals, in the same order', () => {
    const items = Array.from({ length: 5 }, (_, at) => ({ at }));
    fc.assert(
      fc.property(fc.array(fc.nat(4), { maxLength: 40 }), (steps) => {
        const [members, set] = [new Members<{ at: number }>(), new Set<{ at: number }>()];
        for (const step of steps) {
          const item = items[step];
          if (set.has(item)) {
            members.delete(item);
            set.delete(item);
          } else {
            members.add(item);
            set.add(item);
          }
          expect([[...members], members.size]).toEqual([[...set], set.size]);
          if (members.only !== null) expect([...set]).toEqual([members.only]);
        }
      }),
    );
  });

  it('that are taken out while they are walked have no turn', () => {
    const members = new Members<{ name: string }>();
    const [a, b, c] = ['a', 'b', 'c'].map((name) => ({ name }));
    for (const one of [a, b, c]) members.add(one);
    const seen: string[] = [];
    for (const one of members) {
      seen.push(one.name);
      members.delete(b);
    }
    expect(seen).toEqual(['a', 'c']);
  });
});
