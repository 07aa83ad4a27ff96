import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { RunnelError } from '@runnel/errors';
import type { WorkerEvent } from '@runnel/schemas';
import { createHub, localPublisher, localSubscriber, type Hub } from '@runnel/trickle-core';
import { systemClock } from '../path/clock.ts';
import { FramePath } from '../path/frame-path.ts';
import { tint } from '../processors/tint.ts';
import { localPort } from '../testing/local-port.ts';
import { takeApart, toyStream } from '../testing/path-bench.ts';
import { createToyDriver } from '../testing/toy-codec.ts';
import { runSession, type RunningSession } from './run-session.ts';

const text = new TextEncoder();

describe('runSession', () => {
  let hub: Hub;
  let session: RunningSession;
  let port: Awaited<ReturnType<typeof localPort>>;
  let playing: Promise<Uint8Array[]>;
  let events: WorkerEvent[];
  let listening: Promise<void>;

  async function open(options: { inputIdleMs?: number } = {}): Promise<void> {
    port = await localPort((sink) =>
      FramePath.start({
        definition: tint,
        params: { amount: 1 },
        output: { segmentFrames: 2, gopFrames: 30, bitrateKbps: 500 },
        trace: false,
        driver: createToyDriver(),
        clock: systemClock,
        sink,
      }),
    );
    session = runSession({
      videoIn: localSubscriber(hub, 'in', { start: 'current' }),
      control: localSubscriber(hub, 'control', { start: 'current' }),
      videoOut: localPublisher(hub, 'out'),
      events: localPublisher(hub, 'events'),
      path: port,
      clock: systemClock,
      closeDeadlineMs: 1_000,
      ...options,
    });
  }

  beforeEach(async () => {
    hub = createHub({ clock: Date.now, limits: { windowSegments: 1_000 } });
    for (const name of ['in', 'out', 'control', 'events']) hub.create({ name, mimeType: 'x/y' });
    playing = readSegments('out');
    events = [];
    listening = readEvents();
    await open();
  });

  afterEach(async () => {
    await session.stop('stopped');
    await port.stop({ deadlineMs: 1_000 });
    hub.endAll();
    await listening;
  });

  /** Each segment of a channel, whole, to its end. */
  async function readSegments(name: string): Promise<Uint8Array[]> {
    const subscriber = localSubscriber(hub, name, { start: 0 });
    const segments: Uint8Array[] = [];
    for (let next = await subscriber.next(); next !== null; next = await subscriber.next()) {
      if (next.kind === 'gap') throw new Error('gap');
      const parts: Uint8Array[] = [];
      for await (const bytes of next.bytes) parts.push(bytes);
      segments.push(Uint8Array.from(parts.flatMap((part) => [...part])));
    }
    return segments;
  }

  async function readEvents(): Promise<void> {
    const subscriber = localSubscriber(hub, 'events', { start: 0 });
    for (let next = await subscriber.next(); next !== null; next = await subscriber.next()) {
      if (next.kind === 'gap') throw new Error('gap');
      let json = '';
      for await (const bytes of next.bytes) json += new TextDecoder().decode(bytes);
      const { event, queue_event_type: type } = JSON.parse(json) as { event: WorkerEvent; queue_event_type: string };
      expect(type).toBe(event.type === 'heartbeat' ? 'stream_heartbeat' : 'ai_stream_events');
      events.push(event);
    }
  }

  async function send(name: string, ...segments: Uint8Array[][]): Promise<void> {
    const publisher = localPublisher(hub, name);
    for (const pieces of segments) {
      const segment = await publisher.open();
      for (const piece of pieces) await segment.write(piece);
      await segment.end();
    }
    await publisher.close();
  }

  async function until(condition: () => boolean): Promise<void> {
    for (let tries = 0; tries < 500 && !condition(); tries += 1) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(condition()).toBe(true);
  }

  it('brings every frame through, in segments, and ends when the input ends', async () => {
    const stream = toyStream({ frames: 30 });
    await send('in', stream.slice(0, 15), stream.slice(15));
    hub.end('in', { drainMs: 5_000 });
    expect(await session.done).toMatchObject({ reason: 'input_ended' });
    const segments = await playing;
    expect(segments).toHaveLength(15);
    const { frames } = takeApart(segments.flatMap((data) => [{ kind: 'bytes' as const, data }, { kind: 'cut' as const }]));
    expect(frames).toHaveLength(30);
    await until(() => events.some(({ type }) => type === 'stream_stopped'));
    expect(events[0].type).toBe('stream_started');
    expect(events.at(-1)).toMatchObject({ type: 'stream_stopped', reason: 'input_ended' });
  });

  it('reads control messages whole, several in a segment, and ignores keep-alives', async () => {
    const long = JSON.stringify({ runnel: { revision: 3 }, color: '#0000ff', padding: 'x'.repeat(60_000) });
    await send(
      'control',
      [text.encode('{"keep":"alive"}')],
      [text.encode('{"amount":0'), text.encode('.5}{"color":'), text.encode('"#00ff00","runnel":{"revision":2}}')],
      [text.encode('nonsense')],
      [text.encode(long.slice(0, 30_000)), text.encode(long.slice(30_000))],
    );
    await until(() => port.told.filter(({ kind }) => kind === 'params').length === 3);
    expect(port.told.filter(({ kind }) => kind === 'params')).toEqual([
      { kind: 'params', revision: 0, values: { amount: 0.5 } },
      { kind: 'params', revision: 2, values: { color: '#00ff00' } },
      { kind: 'params', revision: 3, values: { color: '#0000ff', padding: 'x'.repeat(60_000) } },
    ]);
    await send('in', toyStream({ frames: 4 }));
    await until(() => events.some(({ type }) => type === 'params_applied'));
    expect(events).toContainEqual(expect.objectContaining({ type: 'warning', code: 'invalid_request' }));
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'params_rejected', revision: 3, reason: expect.stringContaining('padding') }),
    );
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'params_applied', revision: 2, params: { color: '#00ff00', amount: 0.5 } }),
    );
  });

  it('tells a segment that was cut, to the path as well, and goes on', async () => {
    const stream = toyStream({ frames: 10, gopFrames: 5 });
    const publisher = localPublisher(hub, 'in');
    const cut = await publisher.open();
    for (const piece of stream.slice(0, 2)) await cut.write(piece);
    await cut.abort();
    const whole = await publisher.open();
    for (const piece of stream.slice(5)) await whole.write(piece);
    await whole.end();
    await publisher.close();
    hub.end('in', { drainMs: 5_000 });
    expect(await session.done).toMatchObject({ reason: 'input_ended' });
    expect(port.told.map(({ kind }) => kind)).toContain('discontinuity');
    await until(() => events.some(({ type }) => type === 'stream_stopped'));
    expect(events).toContainEqual(expect.objectContaining({ type: 'warning', code: 'segment_cut' }));
    expect(events.findLast(({ type }) => type === 'heartbeat')).toMatchObject({ stats: { framesOut: 7 } });
  });

  it('ends at once when asked, whole segments and the reason behind it', async () => {
    await send('in', toyStream({ frames: 5 }));
    await until(() => events.some(({ type }) => type === 'params_applied'));
    expect(await session.stop('shutdown', 'Enough.')).toEqual({ reason: 'shutdown', detail: 'Enough.' });
    expect(await session.stop('idle')).toEqual({ reason: 'shutdown', detail: 'Enough.' });
    await playing;
    await until(() => events.at(-1)?.type === 'stream_stopped');
    expect(events.at(-1)).toMatchObject({ reason: 'shutdown', detail: 'Enough.' });
  });

  it('ends as worker_lost when the path dies, and players see the end', async () => {
    await send('in', toyStream({ frames: 4 }));
    await until(() => events.some(({ type }) => type === 'params_applied'));
    port.die(new RunnelError('media_child_died', { message: 'The frame path process died: signal SIGSEGV.' }));
    expect(await session.done).toEqual({ reason: 'worker_lost', detail: 'The frame path process died: signal SIGSEGV.' });
    await playing;
  });

  it('ends when its output channel is gone, when its input never was, and when nothing comes', async () => {
    hub.end('out');
    await send('in', toyStream({ frames: 4 }));
    expect(await session.done).toMatchObject({ reason: 'stopped' });
    hub.end('in');
    await open();
    expect(await session.done).toMatchObject({ reason: 'stopped', detail: 'A channel of the session is gone: There is no such channel.' });
    hub.create({ name: 'in', mimeType: 'x/y' });
    await open({ inputIdleMs: 30 });
    expect(await session.done).toMatchObject({ reason: 'idle' });
  });
});
