import type { CreateSession, EdgeUrls, EndReason, OfferedProcessor, ParamValues, Session, SessionStats } from '@runnel/schemas';
import { EventLog } from './event-log.ts';
import { advance, newLife, type Life, type LifeDeadlines, type LifeEvent } from './life.ts';

/** What is fixed when a session is made. */
export interface SessionSeed {
  readonly id: string;
  /** Grows with each session of this broker: the order of listings. */
  readonly order: number;
  readonly input: CreateSession;
  /** The processor as its worker published it. */
  readonly offer: OfferedProcessor;
  /** Checked parameter values, defaults filled in. */
  readonly values: ParamValues;
  readonly nowMs: number;
  readonly deadlines: LifeDeadlines;
}

/** One session as the broker knows it. Holds facts and applies the state machine; does no I/O. */
export class SessionRecord {
  readonly seed: SessionSeed;
  readonly log = new EventLog();
  /** Resolves when the session has ended. */
  readonly ended: Promise<void>;
  /** What its edge handed out; null before that. */
  urls: EdgeUrls | null = null;
  workerId: string | null = null;
  stats: SessionStats | null = null;
  values: ParamValues;
  /** Latest accepted revision. */
  revision = 0;
  /** Latest revision that was handed out; ahead of `revision` after an update whose fate is unknown. */
  issuedRevision = 0;
  appliedRevision = -1;
  heardAtMs: number;
  endedAtMs: number | null = null;
  readonly #resolveEnded: () => void;
  #life: Life;

  constructor(seed: SessionSeed) {
    this.seed = seed;
    this.values = seed.values;
    this.heardAtMs = seed.nowMs;
    this.#life = newLife(seed.nowMs, seed.deadlines);
    const { promise, resolve } = Promise.withResolvers<void>();
    [this.ended, this.#resolveEnded] = [promise, resolve];
  }

  /** The id that clients know it by. */
  get id(): string {
    return this.seed.id;
  }

  /** Where it is in its life; only `apply` moves it. */
  get life(): Life {
    return this.#life;
  }

  /** Moves the state on; a change of state becomes an event of the session, the last one when it has ended. True when it has just ended. */
  apply(event: LifeEvent, nowMs: number): boolean {
    const before = this.#life;
    this.#life = advance(before, event, nowMs, this.seed.deadlines);
    const { state, reason, detail } = this.#life;
    if (state === before.state) return false;
    this.log.append({ type: 'session_state', timestamp: nowMs, state, reason, detail });
    if (state !== 'ended') return false;
    this.endedAtMs = nowMs;
    this.log.end();
    this.#resolveEnded();
    return true;
  }

  /** The session as the API shows it; null before its channels exist, when nobody can know its id. */
  view(): Session | null {
    if (this.urls === null) return null;
    const { state, reason, detail } = this.#life;
    const { id, input, nowMs } = this.seed;
    const { client } = this.urls;
    return {
      id,
      state,
      endReason: endReasonOf(state, reason),
      endDetail: state === 'ended' ? detail : null,
      processor: input.processor,
      params: { revision: this.revision, appliedRevision: this.appliedRevision, values: this.values },
      output: input.output,
      urls: { publish: client.videoIn, play: client.videoOut, events: client.events, data: client.data },
      worker: this.workerId,
      stats: this.stats,
      createdAt: new Date(nowMs).toISOString(),
      endedAt: this.endedAtMs === null ? null : new Date(this.endedAtMs).toISOString(),
    };
  }
}

/** A reason that is only pending is not the end's reason yet. */
function endReasonOf(state: Session['state'], reason: EndReason | null): EndReason | null {
  return state === 'ended' ? reason : null;
}
