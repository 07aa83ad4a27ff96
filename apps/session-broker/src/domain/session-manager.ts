import { ANY, type Bus, type Subscription } from '@runnel/bus';
import { RunnelError, toRunnelError } from '@runnel/errors';
import {
  BUS,
  type Capability,
  type CreateSession,
  type EndReason,
  type ListSessions,
  type ParamsAccepted,
  type ParamValues,
  type Session,
  type SessionList,
} from '@runnel/schemas';
import { endsWithin, type Logger } from '@runnel/service';
import type { Subscriber } from '@runnel/trickle-core';
import type { SessionBrokerConfig } from '../config.ts';
import type { Clock } from './clock.ts';
import type { LifeDeadlines } from './life.ts';
import { ParamChecker } from './param-checker.ts';
import { ParamUpdates } from './param-updates.ts';
import { endedMeanwhile, noCapacity, place } from './placement.ts';
import { SessionRegistry } from './registry.ts';
import { SessionRecord } from './session-record.ts';
import { SessionSupervisor } from './supervisor.ts';
import { type Candidate, WorkerDirectory } from './worker-directory.ts';

/** How often deadlines are looked at, in milliseconds. */
export const SWEEP_MS = 500;

/** How long a shutdown waits for starts that were stopped: edge and worker answer them as soon as they can, in milliseconds. */
const START_SETTLES_MS = 5000;

/** What the broker's logic stands on. */
export interface SessionManagerPorts {
  readonly bus: Bus;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly config: SessionBrokerConfig;
  /** Opens the events channel of a session at its first segment. */
  readonly openEvents: (url: string) => Subscriber;
  /** A fresh, unguessable session id. */
  readonly newId: () => string;
}

/** Starts, changes, lists and stops sessions: what the HTTP API does, without HTTP. */
export class SessionManager {
  readonly #ports: SessionManagerPorts;
  readonly #directory: WorkerDirectory;
  readonly #registry = new SessionRegistry();
  readonly #checker = new ParamChecker();
  readonly #updates: ParamUpdates;
  readonly #supervisor: SessionSupervisor;
  readonly #deadlines: LifeDeadlines;
  readonly #subscriptions: Subscription[] = [];
  /** Starts under way. */
  readonly #starting = new Set<Promise<void>>();
  #stopSweeps = () => {};
  #made = 0;
  #closing: Promise<void> | undefined;

  constructor(ports: SessionManagerPorts) {
    const { config, bus } = ports;
    this.#ports = ports;
    this.#directory = new WorkerDirectory({ ttlMs: config.BROKER_WORKER_TTL_MS });
    this.#updates = new ParamUpdates({ bus, checker: this.#checker });
    this.#supervisor = new SessionSupervisor({
      ...ports,
      directory: this.#directory,
      replayParams: (record) => this.#updates.replay(record),
    });
    this.#deadlines = {
      placingMs: config.BROKER_PLACE_DEADLINE_MS,
      startingMs: config.BROKER_START_DEADLINE_MS,
      silenceMs: config.BROKER_SILENCE_MS,
      stoppingMs: config.BROKER_STOP_DEADLINE_MS,
    };
  }

  /** Listens to workers and asks them to announce themselves; from now on time moves sessions on. */
  async start(): Promise<void> {
    const { bus, clock } = this.#ports;
    this.#subscriptions.push(
      await bus.subscribe(BUS.workerAnnounce, {}, (announce) => this.#directory.announce(announce, clock.nowMs())),
      await bus.subscribe(BUS.workerSessionEnded, { workerId: ANY }, ({ sessionId, reason, detail }, { workerId }) => {
        const record = this.#registry.find(sessionId);
        if (record?.workerId === workerId) this.#supervisor.workerEnded(record, { reason, detail });
      }),
    );
    this.#stopSweeps = clock.every(SWEEP_MS, () => this.#sweep());
    await bus.publish(BUS.workerDiscover, {}, {});
  }

  /**
   * Starts a session; resolves when its worker is ready to read.
   * @throws RunnelError `unknown_processor`, `invalid_params`, `no_capacity`, `overloaded`, `shutting_down`, `session_ended` (stopped meanwhile), what
   * edge and worker threw.
   */
  async create(input: CreateSession): Promise<Session> {
    const { clock, config, newId } = this.#ports;
    if (this.#closing !== undefined) throw new RunnelError('shutting_down', { message: 'The broker is shutting down.' });
    const candidates = this.#directory.candidates(input.processor, clock.nowMs());
    const { offer } = candidates[0];
    const values = this.#checker.check(offer, input.params);
    if (candidates.every(({ slotsFree }) => slotsFree === 0)) throw noCapacity(input.processor);
    if (this.#registry.live.length >= config.BROKER_MAX_SESSIONS) {
      throw new RunnelError('overloaded', { message: `This broker has ${config.BROKER_MAX_SESSIONS} sessions, its limit.` });
    }
    this.#made += 1;
    const record = new SessionRecord({
      id: newId(),
      order: this.#made,
      input,
      offer,
      values,
      nowMs: clock.nowMs(),
      deadlines: this.#deadlines,
    });
    this.#registry.add(record);
    const starting = this.#start(record, candidates);
    this.#starting.add(starting);
    try {
      await starting;
    } finally {
      this.#starting.delete(starting);
    }
    // Stopped by somebody else while its worker accepted it: to be told of a session that does not run would help nobody.
    if (record.life.state !== 'running') throw endedMeanwhile(record);
    return record.view()!;
  }

  async #start(record: SessionRecord, candidates: Candidate[]): Promise<void> {
    try {
      await place(record, candidates, {
        ...this.#ports,
        directory: this.#directory,
        onPlaced: (placed) => this.#supervisor.placed(placed),
      });
      this.#supervisor.started(record);
    } catch (thrown) {
      const error = toRunnelError(thrown);
      this.#supervisor.fail(record, publicDetail(error));
      if (record.urls === null) this.#registry.remove(record);
      throw error;
    }
  }

  /** @throws RunnelError `session_not_found`. */
  get(id: string): Session {
    return this.#registry.get(id).view()!;
  }

  /** The record of a session, to follow its events. @throws RunnelError `session_not_found`. */
  record(id: string): SessionRecord {
    return this.#registry.get(id);
  }

  /** A page of sessions, newest first. @throws RunnelError `invalid_request` for a cursor that is not ours. */
  list(query: ListSessions): SessionList {
    return this.#registry.list(query);
  }

  /** What can be asked for now. */
  capabilities(): Capability[] {
    return this.#directory.capabilities(this.#ports.clock.nowMs());
  }

  /** Whether a worker is there at all. */
  hasWorkers(): boolean {
    return this.capabilities().length > 0;
  }

  /**
   * Changes some parameters; updates of one session are made one after the other.
   * @throws RunnelError `session_not_found`, `session_ended`, `session_not_ready`, `invalid_params`, what the edge threw.
   */
  async updateParams(id: string, changes: ParamValues): Promise<ParamsAccepted> {
    return this.#updates.update(this.#registry.get(id), changes);
  }

  /** Ends a session; resolves once it has ended (the stopping deadline at the latest). Idempotent. @throws RunnelError `session_not_found`. */
  async remove(id: string): Promise<Session> {
    const record = this.#registry.get(id);
    await this.#stop(record, 'stopped', 'It was stopped by request.');
    return record.view()!;
  }

  /** Ends all sessions, then lets go of bus and time. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.all(this.#registry.live.map((record) => this.#stop(record, 'shutdown', 'The service was shut down.')));
    // A start may still learn of channels that were made for it: they are closed below.
    await endsWithin(Promise.allSettled(this.#starting), START_SETTLES_MS);
    this.#stopSweeps();
    await Promise.all(this.#subscriptions.map((subscription) => subscription.close()));
    await this.#supervisor.close();
  }

  async #stop(record: SessionRecord, reason: EndReason, detail: string): Promise<void> {
    this.#supervisor.stop(record, { reason, detail });
    await record.ended;
  }

  #sweep(): void {
    const nowMs = this.#ports.clock.nowMs();
    for (const record of this.#registry.live) this.#supervisor.tick(record, nowMs);
    this.#supervisor.sweep(nowMs);
    this.#directory.sweep(nowMs);
    this.#registry.prune(nowMs);
  }
}

/** What a client may read of a failed start. The message of an error from inside could quote anything, so only the log has it. */
function publicDetail(error: RunnelError): string {
  return error.code === 'internal' ? 'Something failed inside. The log of the service says what.' : error.message;
}
