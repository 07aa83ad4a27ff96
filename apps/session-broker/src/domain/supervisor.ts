import type { Bus } from '@runnel/bus';
import { BUS, type EndReason } from '@runnel/schemas';
import { endsWithin, type Logger } from '@runnel/service';
import type { Subscriber } from '@runnel/trickle-core';
import type { SessionBrokerConfig } from '../config.ts';
import type { Clock } from './clock.ts';
import type { LifeEvent } from './life.ts';
import { CONTROL_DEADLINE_MS } from './param-updates.ts';
import type { SessionRecord } from './session-record.ts';
import { Tasks } from './tasks.ts';
import { watchEvents, type EventWatch, type HeardEvent } from './worker-events.ts';
import type { WorkerDirectory } from './worker-directory.ts';

/** Channels stay this long after their session, so that viewers get what is still in the window, in milliseconds. */
const LINGER_MS = 2000;
/** How long the last events of an ending session are waited for, in milliseconds. */
const LAST_EVENTS_MS = 1000;
/** Code of the warning by which a worker tells that it has missed control messages. */
const CONTROL_GAP = 'control_gap';
/** A session on a worker that no longer announces itself is lost after this share of the usual silence. */
const ABSENT_SILENCE_SHARE = 1 / 3;

/** What supervision stands on. */
export interface SupervisorPorts {
  readonly bus: Bus;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly config: SessionBrokerConfig;
  readonly directory: WorkerDirectory;
  readonly openEvents: (url: string) => Subscriber;
  /** Writes the latest parameters of a session once more. */
  readonly replayParams: (record: SessionRecord) => Promise<void>;
}

/** Why a session ends. */
export interface End {
  readonly reason: EndReason;
  readonly detail: string;
}

/** What belongs to a session only while something of it runs. */
interface Company {
  watch: EventWatch;
  /** The worker has said that nothing of the session runs there. */
  workerDone: boolean;
  stopping: boolean;
  /** A keep-alive is under way. */
  keepingAlive: boolean;
  nextKeepAliveMs: number;
}

/** Accompanies sessions from placement to the end of their channels: hears the worker, keeps time, stops, cleans up. */
export class SessionSupervisor {
  readonly #ports: SupervisorPorts;
  readonly #tasks: Tasks;
  /** From `placed` to the end; its size is that of the live sessions. */
  readonly #company = new Map<SessionRecord, Company>();
  /** Ended sessions whose channels are still open, with the time to close them. */
  readonly #lingering = new Map<SessionRecord, number>();

  constructor(ports: SupervisorPorts) {
    this.#ports = ports;
    this.#tasks = new Tasks((err) => ports.logger.warn({ err }, 'work beside a request failed'));
  }

  /** The channels exist: the session is `starting`, its events are read from now on. Idempotent. */
  placed(record: SessionRecord): void {
    const { clock, config } = this.#ports;
    if (this.#company.has(record)) return;
    // Stopped while the edge made its channels: there is nobody left to read them, so they go at the next sweep.
    if (record.life.state === 'ended') {
      this.#lingering.set(record, clock.nowMs());
      return;
    }
    const watch = watchEvents(this.#ports.openEvents(record.urls!.client.events), {
      onEvent: (heard) => this.#heard(record, heard),
      onWarning: ({ code, message }) => record.log.append({ type: 'warning', timestamp: clock.nowMs(), code, message }),
    });
    const nextKeepAliveMs = clock.nowMs() + config.BROKER_KEEP_ALIVE_MS;
    this.#company.set(record, { watch, workerDone: false, stopping: false, keepingAlive: false, nextKeepAliveMs });
    this.#apply(record, { type: 'placed' });
  }

  /** The worker has accepted. One that comes too late is told to stop. */
  started(record: SessionRecord): void {
    const { workerId } = record;
    if (record.life.state !== 'starting') {
      this.#tasks.run(() => this.#tellStop(record, workerId!));
      return;
    }
    record.heardAtMs = this.#ports.clock.nowMs();
    this.#apply(record, { type: 'started' });
  }

  /** It could not be started. */
  fail(record: SessionRecord, detail: string): void {
    this.#apply(record, { type: 'gone', reason: 'start_failed', detail });
  }

  /** Begins to end a session; `record.ended` tells when it has. Idempotent. */
  stop(record: SessionRecord, end: End): void {
    this.#apply(record, { type: 'stop', ...end });
    const company = this.#company.get(record);
    if (company === undefined) {
      this.#apply(record, { type: 'gone', ...end });
      return;
    }
    // The session may end by its deadline meanwhile; the task below then finds nothing more to do.
    if (company.stopping) return;
    company.stopping = true;
    this.#tasks.run(async () => {
      // The worker first, so that its last events (why it stopped, final counts) are in the channel when it is read to its end.
      if (record.workerId !== null && !company.workerDone) await this.#tellStop(record, record.workerId);
      company.workerDone = true;
      await this.#lastEvents(company);
      this.#apply(record, { type: 'gone', ...end });
    });
  }

  /** The worker says that nothing of the session runs there. */
  workerEnded(record: SessionRecord, end: End): void {
    const company = this.#company.get(record);
    if (company === undefined || company.workerDone) return;
    company.workerDone = true;
    this.#apply(record, { type: 'stop', ...end });
    this.#tasks.run(async () => {
      await this.#lastEvents(company);
      this.#apply(record, { type: 'gone', ...end });
    });
  }

  /** Time goes by for one live session. */
  tick(record: SessionRecord, nowMs: number): void {
    const { config, directory } = this.#ports;
    const { state, deadlineMs } = record.life;
    if (deadlineMs !== null && nowMs >= deadlineMs) {
      this.#apply(record, { type: 'deadline' });
      return;
    }
    const company = this.#company.get(record);
    if (state !== 'running' || company === undefined) return;
    const silentMs = nowMs - record.heardAtMs;
    if (silentMs >= config.BROKER_SILENCE_MS * ABSENT_SILENCE_SHARE && !directory.isPresent(record.workerId!, nowMs)) {
      this.#apply(record, { type: 'gone', reason: 'worker_lost', detail: 'The worker is gone.' });
      return;
    }
    if (nowMs >= company.nextKeepAliveMs && !company.keepingAlive) {
      company.nextKeepAliveMs = nowMs + config.BROKER_KEEP_ALIVE_MS;
      company.keepingAlive = true;
      this.#tasks.run(async () => {
        try {
          await this.#ports.bus.request(
            BUS.edgeControl,
            {},
            { sessionId: record.id, body: { keep: 'alive' } },
            { deadlineMs: CONTROL_DEADLINE_MS },
          );
        } finally {
          company.keepingAlive = false;
        }
      });
    }
  }

  /** Closes the channels of sessions that ended long enough ago. */
  sweep(nowMs: number): void {
    for (const [record, closeAtMs] of this.#lingering) if (nowMs >= closeAtMs) this.#closeChannels(record);
  }

  /** Closes all channels that linger, and waits for what is under way. All sessions must have ended. */
  async close(): Promise<void> {
    for (const record of this.#lingering.keys()) this.#closeChannels(record);
    await this.#tasks.settled();
  }

  #heard(record: SessionRecord, { known, event }: HeardEvent): void {
    const nowMs = this.#ports.clock.nowMs();
    record.log.append(event);
    record.heardAtMs = nowMs;
    this.#apply(record, { type: 'heard' });
    if (!known) return;
    if (event.type === 'heartbeat') record.stats = event.stats;
    // A revision that was never issued is not believed.
    if (event.type === 'params_applied' && event.revision <= record.issuedRevision) {
      record.appliedRevision = Math.max(record.appliedRevision, event.revision);
    }
    // Full values go out with every revision, so the latest one makes up for all that were missed.
    if (event.type === 'warning' && event.code === CONTROL_GAP) this.#tasks.run(() => this.#ports.replayParams(record));
    if (event.type === 'stream_stopped') this.#apply(record, { type: 'stop', reason: event.reason, detail: event.detail });
  }

  #apply(record: SessionRecord, event: LifeEvent): void {
    const before = record.life.state;
    const hasEnded = record.apply(event, this.#ports.clock.nowMs());
    const { state, reason, detail } = record.life;
    if (state !== before)
      this.#ports.logger.info({ sessionId: record.id, worker: record.workerId, state, reason, detail }, 'session state');
    if (hasEnded) this.#cleanUp(record);
  }

  #cleanUp(record: SessionRecord): void {
    const { directory, clock } = this.#ports;
    const company = this.#company.get(record);
    const { workerId } = record;
    this.#company.delete(record);
    if (record.urls !== null) this.#lingering.set(record, clock.nowMs() + LINGER_MS);
    if (company !== undefined) this.#tasks.run(() => company.watch.close());
    if (workerId === null) return;
    directory.release(workerId, record.id);
    if (company !== undefined && !company.workerDone) this.#tasks.run(() => this.#tellStop(record, workerId));
  }

  /** Asks the worker to stop; when it cannot be reached, its own lease on the input ends the session there. */
  async #tellStop(record: SessionRecord, workerId: string): Promise<void> {
    const { bus, logger, config } = this.#ports;
    const message = { sessionId: record.id, reason: record.life.reason ?? ('stopped' as const) };
    try {
      await bus.request(BUS.workerStop, { workerId }, message, { deadlineMs: config.BROKER_STOP_DEADLINE_MS });
    } catch (err) {
      logger.warn({ err, sessionId: record.id, worker: workerId }, 'the worker did not confirm the stop');
    }
  }

  async #lastEvents({ watch }: Company): Promise<void> {
    await endsWithin(watch.finished, LAST_EVENTS_MS);
  }

  #closeChannels(record: SessionRecord): void {
    this.#lingering.delete(record);
    this.#tasks.run(async () => {
      await this.#ports.bus.request(BUS.edgeClose, {}, { sessionId: record.id }, { deadlineMs: CONTROL_DEADLINE_MS });
    });
  }
}
