import { describe, expect, it } from '@jest/globals';
import { RunnelError, toRunnelError } from '@runnel/errors';
import { Calls, MAX_CALLS } from './calls.ts';
import { type CallMessage, toWireError } from './protocol.ts';

function setUp() {
  const sent: CallMessage[] = [];
  return { sent, calls: new Calls((message) => sent.push(message)) };
}

describe('calls to a shard', () => {
  it('bring each its own answer, in whatever order answers come', async () => {
    const { sent, calls } = setUp();
    const asked = [calls.call('end', ['a']), calls.call('lastWrites', ['b'])] as const;
    expect(sent.map(({ name, argument }) => [name, argument])).toEqual([
      ['end', ['a']],
      ['lastWrites', ['b']],
    ]);
    calls.answered({ kind: 'reply', id: sent[1].id, value: [7] });
    calls.answered({ kind: 'reply', id: sent[0].id, value: 1 });
    expect(await Promise.all(asked)).toEqual([1, [7]]);
    expect(calls.size).toBe(0);
  });

  it('throw what the shard throws, with code and message and without its cause', async () => {
    const { sent, calls } = setUp();
    const asked = calls.call('create', { name: 'a', mimeType: 'b/c' });
    const thrown = new RunnelError('limit_exceeded', { message: 'Full.', hint: 'Wait.', cause: new Error('inner') });
    calls.answered({ kind: 'refusal', id: sent[0].id, error: toWireError(thrown) });
    const { code, message, hint, cause } = await asked.then(() => new RunnelError('internal', { message: 'No error.' }), toRunnelError);
    expect({ code, message, hint, cause }).toEqual({ code: 'limit_exceeded', message: 'Full.', hint: 'Wait.', cause: undefined });
  });

  it("end at their deadline; an answer that comes later is nobody's", async () => {
    const { sent, calls } = setUp();
    await expect(calls.call('reload', null, { deadlineMs: 10 })).rejects.toMatchObject({ code: 'deadline_exceeded' });
    expect(calls.size).toBe(0);
    calls.answered({ kind: 'reply', id: sent[0].id, value: undefined });
  });

  it('are refused when too many are under way', async () => {
    const { sent, calls } = setUp();
    const asked = Array.from({ length: MAX_CALLS }, () => calls.call('reload', null));
    await expect(calls.call('reload', null)).rejects.toMatchObject({ code: 'overloaded' });
    for (const { id } of sent) calls.answered({ kind: 'reply', id, value: undefined });
    await Promise.all(asked);
    expect(sent).toHaveLength(MAX_CALLS);
  });

  it('fail at once when the process is gone, those under way and those that come later', async () => {
    const { sent, calls } = setUp();
    const asked = [calls.call('reload', null), calls.call('end', [])];
    const gone = new RunnelError('no_responder', { message: 'Gone.' });
    calls.lost(gone);
    calls.lost(new RunnelError('internal', { message: 'Again.' }));
    for (const call of [...asked, calls.call('end', [])]) await expect(call).rejects.toBe(gone);
    expect([sent.length, calls.size]).toEqual([2, 0]);
  });
});
