import { describe, expect, it } from '@jest/globals';
import { EventLog, KEPT_EVENT_BYTES, KEPT_EVENTS } from './event-log.ts';

/** The numbers that a reader who has read up to `id` still gets. */
function rest(log: EventLog, id: number): number[] {
  const ids: number[] = [];
  for (let next = log.after(id); next !== undefined; next = log.after(next.id)) ids.push(next.id);
  return ids;
}

describe('An event log', () => {
  it('gives a reader what came after a number, in order, without a gap or a double', () => {
    const log = new EventLog();
    for (const event of ['a', 'b', 'c']) log.append(event);
    expect([rest(log, 0), rest(log, 1), rest(log, 3)]).toEqual([[1, 2, 3], [2, 3], []]);
    expect(log.after(2)).toEqual({ id: 3, json: '"c"' });
  });

  it('keeps a bounded number of events', () => {
    const log = new EventLog();
    for (let at = 0; at < KEPT_EVENTS + 10; at += 1) log.append(at);
    expect(rest(log, 0)).toEqual(Array.from({ length: KEPT_EVENTS }, (_, at) => at + 11));
    expect(log.after(4)?.id).toBe(11);
  });

  it('keeps a bounded number of bytes, and always the latest event', () => {
    const log = new EventLog();
    const text = 'x'.repeat(KEPT_EVENT_BYTES / 4);
    for (let at = 0; at < 10; at += 1) log.append(text);
    expect(rest(log, 0)).toEqual([8, 9, 10]);
    // Bytes as they are sent, not characters: each of these takes three.
    for (let at = 0; at < 10; at += 1) log.append('水'.repeat(KEPT_EVENT_BYTES / 12));
    expect(rest(log, 0)).toEqual([18, 19, 20]);
    log.append('x'.repeat(KEPT_EVENT_BYTES * 2));
    expect(rest(log, 0)).toEqual([21]);
  });

  it('begins anew for a client that comes with a number of another life', () => {
    const log = new EventLog();
    log.append('a');
    expect([log.resumeAt(99), log.resumeAt(1), log.resumeAt(0)]).toEqual([0, 1, 0]);
  });

  it('tells followers of each event and of the end, takes nothing after it, and lets go of them', () => {
    const log = new EventLog();
    let told = 0;
    log.follow(() => (told += 1));
    const leave = log.follow(() => (told += 100));
    leave();
    log.append('a');
    log.end();
    log.end();
    log.append('b');
    expect([told, log.ended, rest(log, 0), log.followers]).toEqual([2, true, [1], 0]);
  });
});
