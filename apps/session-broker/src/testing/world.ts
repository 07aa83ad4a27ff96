import { expect } from '@jest/globals';
import { createMemoryBus } from '@runnel/bus';
import { RunnelError } from '@runnel/errors';
import { BUS, type ChannelUrls, type ParamsAccepted, type WorkerEvent } from '@runnel/schemas';
import { createLogger, loadConfig } from '@runnel/service';
import { createHub, localPublisher, localSubscriber, type Hub, type Publisher } from '@runnel/trickle-core';
import { SessionBrokerConfigSchema } from '../config.ts';
import { SWEEP_MS, SessionManager } from '../domain/session-manager.ts';
import { newSessionId } from '../new-id.ts';
import { NO_STATS } from './stage.ts';

/** Slots of the world's worker. */
export const SLOTS = 2;
/** How long a part that hangs keeps its answer back: longer than the deadlines, in milliseconds. */
const HANG_MS = 400;
const DEADLINES = { BROKER_STOP_DEADLINE_MS: '200', BROKER_START_DEADLINE_MS: '200', BROKER_PLACE_DEADLINE_MS: '200' };

/** How a part of the world answers from now on. */
export type Mood = 'answers' | 'refuses' | 'breaks' | 'hangs';
/** Something that happens. `nth` picks one of the sessions. */
export type Step =
  | { do: 'create' }
  | { do: 'patch' | 'remove' | 'stopped' | 'ended' | 'heartbeat' | 'applied' | 'missed' | 'nonsense'; nth: number }
  | { do: 'edge' | 'worker'; mood: Mood }
  | { do: 'announce' }
  | { do: 'wait'; ms: number };

/** Time that moves by hand. */
class ManualClock {
  #now = 1_000_000;
  #ticks = new Set<() => void>();
  nowMs = () => this.#now;
  every = (_: number, tick: () => void) => {
    this.#ticks.add(tick);
    return () => this.#ticks.delete(tick);
  };
  advance(ms: number): void {
    for (let left = ms; left > 0; left -= SWEEP_MS) {
      this.#now += Math.min(SWEEP_MS, left);
      for (const tick of this.#ticks) tick();
    }
  }
}

/** A broker in a world of one edge and one worker, which answer, refuse or hang. */
export class World {
  readonly bus = createMemoryBus({ closeDeadlineMs: 50 });
  readonly clock = new ManualClock();
  readonly hub: Hub = createHub({ clock: this.clock.nowMs });
  readonly manager: SessionManager;
  /** Revisions on each session's control channel. */
  readonly controls = new Map<string, number[]>();
  /** What edge and worker were asked for, in order: `keep-alive`, `stop`, and `accepted` when a start was. */
  readonly heard: string[] = [];
  readonly events = new Map<string, Publisher>();
  readonly created: string[] = [];
  readonly accepted: { id: string; answer: ParamsAccepted }[] = [];
  readonly calls: Promise<void>[] = [];
  edge: Mood = 'answers';
  worker: Mood = 'answers';

  /** `env` overrides the broker's configuration. */
  constructor(env: Record<string, string> = {}) {
    this.manager = new SessionManager({
      bus: this.bus,
      logger: createLogger({ name: 'test', level: 'silent' }),
      clock: this.clock,
      config: loadConfig(SessionBrokerConfigSchema, { ...DEADLINES, ...env }),
      newId: newSessionId,
      openEvents: (url) => localSubscriber(this.hub, nameOf(url), { start: 0 }),
    });
  }

  /** Starts edge, worker and broker. */
  async start(): Promise<void> {
    await this.bus.respond(BUS.edgeCreate, {}, async ({ sessionId }) => {
      await this.#mood(this.edge);
      const { control, ...client } = Object.fromEntries(
        ['videoIn', 'videoOut', 'control', 'events', 'data'].map((part) => [part, `http://edge/${sessionId}-${part}`]),
      ) as ChannelUrls;
      this.hub.create({ name: `${sessionId}-events`, mimeType: 'application/json' });
      return { urls: { client, worker: { ...client, control } } };
    });
    await this.bus.respond(BUS.edgeControl, {}, async ({ sessionId, body }) => {
      const { runnel } = body as { runnel?: { revision: number } };
      if (body['keep'] === 'alive') this.heard.push('keep-alive');
      // Written even when the answer stays out: that is what makes a revision's fate unknown.
      if (runnel !== undefined) this.controls.set(sessionId, [...(this.controls.get(sessionId) ?? []), runnel.revision]);
      await this.#mood(this.edge);
      return { seq: 0 };
    });
    await this.bus.respond(BUS.edgeClose, {}, ({ sessionId }) => ({ closed: this.hub.end(`${sessionId}-events`) ? 1 : 0 }));
    await this.bus.respond(BUS.workerStart, { workerId: 'w1' }, async ({ sessionId, urls }) => {
      await this.#mood(this.worker);
      this.events.set(sessionId, localPublisher(this.hub, nameOf(urls.events)));
      this.heard.push('accepted');
      return { accepted: true as const };
    });
    await this.bus.respond(BUS.workerStop, { workerId: 'w1' }, async () => {
      this.heard.push('stop');
      await this.#mood(this.worker);
      return { stopped: true };
    });
    await this.manager.start();
    await this.announce();
  }

  /** The worker announces itself. */
  async announce(): Promise<void> {
    const processors = [{ processor: 'p', description: 'any', paramsSchema: { type: 'object' } }];
    await this.bus.publish(BUS.workerAnnounce, {}, { workerId: 'w1', slotsTotal: SLOTS, slotsFree: SLOTS, processors });
  }

  /** Makes one step; what it sets off goes on beside the next ones. */
  async play(step: Step): Promise<void> {
    const id = 'nth' in step ? this.created[step.nth % Math.max(1, this.created.length)] : undefined;
    if (step.do === 'create')
      this.#call(async () =>
        this.created.push(
          (
            await this.manager.create({
              processor: 'p',
              params: {},
              output: { segmentFrames: 2, gopFrames: 60, bitrateKbps: 100 },
              trace: false,
            })
          ).id,
        ),
      );
    if (step.do === 'edge') this.edge = step.mood;
    if (step.do === 'worker') this.worker = step.mood;
    if (step.do === 'announce') await this.announce();
    if (step.do === 'wait') this.clock.advance(step.ms);
    if (id !== undefined) await this.#playSession(step, id);
    await turns(3);
  }

  async #playSession(step: Step, id: string): Promise<void> {
    const now = this.clock.nowMs();
    if (step.do === 'patch')
      this.#call(async () => this.accepted.push({ id, answer: await this.manager.updateParams(id, { x: this.accepted.length }) }));
    if (step.do === 'remove') this.#call(() => this.manager.remove(id));
    if (step.do === 'ended')
      await this.bus.publish(BUS.workerSessionEnded, { workerId: 'w1' }, { sessionId: id, reason: 'input_ended', detail: 'x' });
    if (step.do === 'stopped') await this.#say(id, { type: 'stream_stopped', timestamp: now, reason: 'input_ended', detail: 'x' });
    if (step.do === 'heartbeat') await this.#say(id, { type: 'heartbeat', timestamp: now, stats: NO_STATS });
    const revision = this.controls.get(id)?.at(-1) ?? 1;
    if (step.do === 'applied') await this.#say(id, { type: 'params_applied', timestamp: now, revision, frame: 1, pts: 1, params: {} });
    if (step.do === 'missed') await this.#say(id, { type: 'warning', timestamp: now, code: 'control_gap', message: 'x' });
    if (step.do === 'nonsense') await this.#say(id, { type: 'heartbeat' } as WorkerEvent);
  }

  async #say(id: string, event: WorkerEvent): Promise<void> {
    try {
      const segment = await this.events.get(id)?.open();
      await segment?.write(new TextEncoder().encode(JSON.stringify({ event, queue_event_type: 'e' })));
      await segment?.end();
    } catch (error) {
      // The channels of an ended session are gone.
      expect(error).toMatchObject({ code: expect.stringMatching(/^channel_/) });
    }
  }

  /** API calls go on beside each other, as over HTTP; each may fail, but only with an error of the catalogue that is not `internal`. */
  #call(call: () => Promise<unknown>): void {
    this.calls.push(
      call().then(
        () => {},
        (error: unknown) => {
          expect(error).toBeInstanceOf(RunnelError);
          expect((error as RunnelError).code).not.toBe('internal');
        },
      ),
    );
  }

  async #mood(mood: Mood): Promise<void> {
    if (mood === 'refuses') throw new RunnelError('no_capacity', { message: 'not now' });
    if (mood === 'breaks') throw new Error('connect failed: http://10.0.0.7/secret-channel');
    if (mood === 'hangs') await new Promise((resolve) => setTimeout(resolve, HANG_MS));
  }
}

function nameOf(url: string): string {
  return url.slice('http://edge/'.length);
}

/** Lets what is ready run. */
export async function turns(count: number): Promise<void> {
  for (let at = 0; at < count; at += 1) await new Promise((resolve) => setImmediate(resolve));
}
