import { describe, expect, it } from '@jest/globals';
import { createHub, localPublisher, localSubscriber } from '@runnel/trickle-core';
import { MAX_EVENT_BYTES, watchEvents } from './worker-events.ts';

const STOPPED = { type: 'stream_stopped', timestamp: 1, reason: 'stopped', detail: 'd' };
const envelope = (event: unknown) => JSON.stringify({ event, queue_event_type: 'e' });

/** Publishes each text as a segment, ends the channel, and returns what was heard. A null is a segment that is cut. */
async function hear(...segments: (string | null)[]): Promise<string[]> {
  const hub = createHub({ clock: () => 0 });
  hub.create({ name: 'events', mimeType: 'application/json' });
  const heard: string[] = [];
  const watch = watchEvents(localSubscriber(hub, 'events', { start: 0 }), {
    onEvent: ({ known, event }) => heard.push(`${known ? 'known' : 'own'} ${event.type}`),
    onWarning: ({ code }) => heard.push(`warning ${code}`),
  });
  const publisher = localPublisher(hub, 'events');
  for (const text of segments) {
    const segment = await publisher.open();
    await segment.write(new TextEncoder().encode(text ?? '{"event":'));
    await (text === null ? segment.abort() : segment.end());
    await new Promise((resolve) => setImmediate(resolve));
  }
  await publisher.close({ endChannel: true });
  await watch.finished;
  await watch.close();
  return heard;
}

describe('A watch of the events channel', () => {
  it('hears enveloped and bare events, one or several a segment, and types that only the worker knows', async () => {
    await expect(
      hear(envelope(STOPPED), JSON.stringify(STOPPED), `${envelope(STOPPED)}\n${envelope({ type: 'mine', x: 1 })}\n`),
    ).resolves.toEqual(['known stream_stopped', 'known stream_stopped', 'known stream_stopped', 'own mine']);
  });

  it('warns of what cannot be read and goes on', async () => {
    await expect(
      hear('not json', '[1]', envelope({ type: 'heartbeat' }), envelope({ type: 'session_state' }), envelope(STOPPED)),
    ).resolves.toEqual([
      'warning malformed_event',
      'warning malformed_event',
      'warning malformed_event',
      'warning malformed_event',
      'known stream_stopped',
    ]);
  });

  it('goes on after an event that was cut, and after one that is too large', async () => {
    const large = envelope({ type: 'mine', text: 'x'.repeat(MAX_EVENT_BYTES) });
    await expect(hear(null, large, envelope(STOPPED))).resolves.toEqual([
      'warning segment_cut',
      'warning payload_too_large',
      'known stream_stopped',
    ]);
  });
});
