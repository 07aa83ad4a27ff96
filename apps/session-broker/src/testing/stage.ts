import { randomBytes } from 'node:crypto';
import { createMemoryBus, type Bus } from '@runnel/bus';
import { RunnelError } from '@runnel/errors';
import { BUS, type ChannelUrls, type EndReason, type StartSession, type WorkerEvent } from '@runnel/schemas';
import { createLogger, loadConfig } from '@runnel/service';
import { createPublisher, createRelay, createSubscriber } from '@runnel/trickle-http';
import type { Publisher, Subscriber } from '@runnel/trickle-core';
import { SessionBrokerConfigSchema, startSessionBroker } from '../index.ts';

/** JSON Schema of the processor `tint` that the stage's workers offer. */
const TINT_SCHEMA = {
  type: 'object',
  properties: {
    color: { type: 'string', pattern: '^#[0-9a-f]{6}$' },
    amount: { type: 'number', minimum: 0, maximum: 1, default: 0.5 },
  },
  required: ['color'],
  additionalProperties: false,
};
/** Heartbeat counters of a worker that has done nothing. */
export const NO_STATS = { framesIn: 0, framesOut: 0, framesDropped: 0, fpsIn: 0, fpsOut: 0, latencyMs: { p50: 0, p99: 0 } };

/** A worker's side of one session. */
export interface PlayedSession {
  readonly start: StartSession;
  /** Publishes an event in PyTrickle's envelope. */
  say(event: WorkerEvent | { type: string }): Promise<void>;
  /** The next document on the control channel that is not a keep-alive. */
  heardControl(): Promise<Record<string, unknown>>;
  /** Says on the bus that the session is over. */
  ended(reason: EndReason, detail: string): Promise<void>;
}

/** A worker as the broker sees it: the real channels and bus, no frames. */
export interface PlayedWorker {
  readonly sessions: Map<string, PlayedSession>;
  readonly stops: string[];
  announce(): Promise<void>;
  /** What the next `workerStart` does instead of accepting. */
  refuseWith: (() => Promise<void>) | null;
}

/** A broker on real sockets with a real relay. */
export interface Stage {
  readonly url: string;
  readonly bus: Bus;
  addWorker(options?: { workerId?: string; slots?: number }): Promise<PlayedWorker>;
  api(method: string, path: string, body?: unknown): Promise<{ status: number; headers: Headers; body: Json }>;
  closeBroker(): Promise<void>;
  close(): Promise<void>;
}

// oxlint-disable-next-line typescript/no-explicit-any -- what an HTTP answer holds is what its test asserts
type Json = any;

/** Starts a broker; `env` overrides its configuration. */
export async function setStage(env: Record<string, string> = {}): Promise<Stage> {
  const bus = createMemoryBus();
  const relay = createRelay();
  const { url: base } = await relay.listen({ host: '127.0.0.1', port: 0 });
  await playEdge(bus, { base, hub: relay.hub });
  const config = loadConfig(SessionBrokerConfigSchema, { BROKER_PORT: '0', ...env });
  const broker = await startSessionBroker({ bus, logger: createLogger({ name: 'test', level: 'silent' }), config });
  const closers: (() => Promise<void>)[] = [];
  return {
    url: broker.url,
    bus,
    addWorker: ({ workerId = 'w1', slots = 4 } = {}) => playWorker(bus, { workerId, slots, closers }),
    api: async (method, path, body) => {
      const response = await fetch(`${broker.url}${path}`, {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      });
      return { status: response.status, headers: response.headers, body: JSON.parse(await response.text()) };
    },
    closeBroker: () => broker.close(),
    close: async () => {
      await broker.close();
      await Promise.all(closers.map((close) => close()));
      await bus.close();
      await relay.close();
    },
  };
}

/** The edge's part on the bus, in front of a real relay. */
async function playEdge(bus: Bus, { base, hub }: { base: string; hub: ReturnType<typeof createRelay>['hub'] }): Promise<void> {
  const controls = new Map<string, Publisher>();
  const names = new Map<string, string[]>();
  await bus.respond(BUS.edgeCreate, {}, ({ sessionId }) => {
    const secret = randomBytes(12).toString('hex');
    const urls = Object.fromEntries(
      ['videoIn', 'videoOut', 'control', 'events', 'data'].map((part) => {
        hub.create({ name: `${secret}-${part}`, mimeType: 'application/json' });
        return [part, `${base}${secret}-${part}`];
      }),
    ) as ChannelUrls;
    names.set(
      sessionId,
      Object.values(urls).map((url) => url.slice(base.length)),
    );
    controls.set(sessionId, createPublisher({ url: urls.control, mimeType: 'application/json' }));
    const { control, ...client } = urls;
    return { urls: { client, worker: { ...client, control } } };
  });
  await bus.respond(BUS.edgeControl, {}, async ({ sessionId, body }) => {
    const segment = await controls.get(sessionId)!.open();
    await segment.write(new TextEncoder().encode(JSON.stringify(body)));
    await segment.end();
    return { seq: segment.seq };
  });
  await bus.respond(BUS.edgeClose, {}, async ({ sessionId }) => {
    await controls.get(sessionId)?.close();
    return { closed: (names.get(sessionId) ?? []).filter((name) => hub.end(name)).length };
  });
}

async function playWorker(
  bus: Bus,
  { workerId, slots, closers }: { workerId: string; slots: number; closers: (() => Promise<void>)[] },
): Promise<PlayedWorker> {
  const worker: PlayedWorker = {
    sessions: new Map(),
    stops: [],
    refuseWith: null,
    announce: () =>
      bus.publish(
        BUS.workerAnnounce,
        {},
        {
          workerId,
          slotsTotal: slots,
          slotsFree: slots - worker.sessions.size,
          processors: [
            { processor: 'tint', description: 'Mixes a colour in.', paramsSchema: TINT_SCHEMA },
            { processor: 'passthrough', description: 'Changes nothing.', paramsSchema: { type: 'object', additionalProperties: false } },
          ],
        },
      ),
  };
  await bus.subscribe(BUS.workerDiscover, {}, worker.announce);
  await bus.respond(BUS.workerStart, { workerId }, async (start) => {
    await worker.refuseWith?.();
    const events = createPublisher({ url: start.urls.events, mimeType: 'application/json' });
    const control = createSubscriber({ url: start.urls.control, start: 0 });
    closers.push(
      () => events.close(),
      () => control.close(),
    );
    worker.sessions.set(start.sessionId, {
      start,
      say: (event) => say(events, event),
      heardControl: () => nextDocument(control),
      ended: (reason, detail) => bus.publish(BUS.workerSessionEnded, { workerId }, { sessionId: start.sessionId, reason, detail }),
    });
    return { accepted: true as const };
  });
  await bus.respond(BUS.workerStop, { workerId }, async ({ sessionId, reason }) => {
    worker.stops.push(sessionId);
    const session = worker.sessions.get(sessionId);
    await session?.say({ type: 'stream_stopped', timestamp: Date.now(), reason, detail: 'stop' });
    return { stopped: worker.sessions.delete(sessionId) };
  });
  await worker.announce();
  return worker;
}

async function say(events: Publisher, event: object): Promise<void> {
  const segment = await events.open();
  await segment.write(new TextEncoder().encode(JSON.stringify({ event, queue_event_type: 'ai_stream_events' })));
  await segment.end();
}

async function nextDocument(control: Subscriber): Promise<Record<string, unknown>> {
  for (;;) {
    const next = await control.next(AbortSignal.timeout(5000));
    if (next?.kind !== 'segment') throw new RunnelError('channel_closed', { message: 'The control channel has ended.' });
    const pieces: Uint8Array[] = [];
    for await (const piece of next.bytes) pieces.push(piece);
    const document = JSON.parse(Buffer.concat(pieces).toString()) as Record<string, unknown>;
    if (document['keep'] !== 'alive') return document;
  }
}
