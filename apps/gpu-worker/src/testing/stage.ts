import { createMemoryBus, type Bus } from '@runnel/bus';
import { BUS, type ChannelUrls, type EndReason, type StartSession, type WorkerAnnounce, type WorkerEvent } from '@runnel/schemas';
import { createLogger, loadConfig, type RunningService } from '@runnel/service';
import { createPublisher, createRelay, createSubscriber, type Relay } from '@runnel/trickle-http';
import { setTimeout as sleep } from 'node:timers/promises';
import { GpuWorkerConfigSchema } from '../config.ts';
import { startGpuWorker } from '../start.ts';
import { concat } from './source.ts';

const CHANNELS = {
  videoIn: 'video/mp2t',
  control: 'application/json',
  videoOut: 'video/mp2t',
  events: 'application/json',
  data: 'application/jsonl',
};

/** A relay, a bus and a worker, all real. */
export interface Stage {
  bus: Bus;
  relay: Relay;
  worker: RunningService;
  workerId: string;
  announcements: WorkerAnnounce[];
  ended: { sessionId: string; reason: EndReason; detail: string }[];
  /** Makes the channels of a session. */
  channels(sessionId: string): ChannelUrls;
  start(session: Partial<StartSession> & Pick<StartSession, 'sessionId' | 'processor' | 'urls'>): Promise<unknown>;
  close(): Promise<void>;
}

export async function openStage(env: Record<string, string> = {}): Promise<Stage> {
  const bus = createMemoryBus();
  const relay = createRelay({ limits: { windowSegments: 1000, windowAgeMs: 10_000 } });
  const { url } = await relay.listen({ host: '127.0.0.1', port: 0 });
  const announcements: WorkerAnnounce[] = [];
  const ended: Stage['ended'] = [];
  const workerId = 'worker-test';
  await bus.subscribe(BUS.workerAnnounce, {}, (message) => void announcements.push(message));
  await bus.subscribe(BUS.workerSessionEnded, { workerId }, (message) => void ended.push(message));
  const config = loadConfig(GpuWorkerConfigSchema, { WORKER_ID: workerId, ...env });
  const quiet = createLogger({ name: 'test', level: 'fatal' });
  const worker = await startGpuWorker({ bus, logger: quiet, config }).catch(async (error: unknown) => {
    await relay.close();
    await bus.close();
    throw error;
  });
  return {
    bus,
    relay,
    worker,
    workerId,
    announcements,
    ended,
    channels: (sessionId) => {
      const urls = Object.entries(CHANNELS).map(([role, mimeType]) => {
        relay.hub.create({ name: `${sessionId}-${role}`, mimeType });
        return [role, `${url}${sessionId}-${role}`];
      });
      return Object.fromEntries(urls) as ChannelUrls;
    },
    start: (session) =>
      bus.request(
        BUS.workerStart,
        { workerId },
        { params: {}, trace: false, output: { segmentFrames: 2, gopFrames: 30, bitrateKbps: 2000 }, ...session },
        { deadlineMs: 15_000 },
      ),
    close: async () => {
      await worker.close();
      await relay.close();
      await bus.close();
    },
  };
}

/** Publishes pieces as segments of `perSegment`, `paceMs` apart (0: as fast as it goes), and ends the channel. */
export async function publish(
  url: string,
  pieces: Uint8Array[],
  { perSegment, paceMs }: { perSegment: number; paceMs: number },
): Promise<void> {
  const publisher = createPublisher({ url, mimeType: 'video/mp2t' });
  const beginMs = performance.now();
  for (let from = 0; from < pieces.length; from += perSegment) {
    const segment = await publisher.open();
    for (let at = from; at < Math.min(from + perSegment, pieces.length); at += 1) {
      await sleep(Math.max(0, beginMs + at * paceMs - performance.now()));
      await segment.write(pieces[at]);
    }
    await segment.end();
  }
  await publisher.close({ endChannel: true });
}

/** Reads a channel from its first segment to its end. */
export async function play(url: string): Promise<Uint8Array> {
  const subscriber = createSubscriber({ url, start: 0 });
  const parts: Uint8Array[] = [];
  for (let next = await subscriber.next(); next !== null; next = await subscriber.next()) {
    if (next.kind === 'gap') throw new Error(`missed segments ${next.from} to ${next.to}`);
    for await (const bytes of next.bytes) parts.push(bytes);
  }
  await subscriber.close();
  return concat(parts);
}

/** Collects worker events until the channel ends or `stream_stopped` has come. */
export async function listen(url: string, into: WorkerEvent[]): Promise<void> {
  const subscriber = createSubscriber({ url, start: 0 });
  for (let next = await subscriber.next(); next !== null; next = await subscriber.next()) {
    if (next.kind === 'gap') continue;
    const parts: Uint8Array[] = [];
    for await (const bytes of next.bytes) parts.push(bytes);
    const { event } = JSON.parse(new TextDecoder().decode(concat(parts))) as { event: WorkerEvent };
    into.push(event);
    if (event.type === 'stream_stopped') break;
  }
  await subscriber.close();
}

/** Writes one control message. */
export async function control(url: string, text: string): Promise<void> {
  const publisher = createPublisher({ url, mimeType: 'application/json' });
  const segment = await publisher.open();
  await segment.write(new TextEncoder().encode(text));
  await segment.end();
  await publisher.close();
}

export async function until(condition: () => boolean, what: string): Promise<void> {
  for (let tries = 0; tries < 1000; tries += 1) {
    if (condition()) return;
    await sleep(10);
  }
  throw new Error(`Waited in vain until ${what}.`);
}
