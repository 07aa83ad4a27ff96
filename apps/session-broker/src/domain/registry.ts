import { RunnelError } from '@runnel/errors';
import { SessionId, type ListSessions, type SessionList } from '@runnel/schemas';
import type { SessionRecord } from './session-record.ts';

/** Ended sessions that are kept to be looked at: at most this many, and for this long in milliseconds. */
export const KEPT_ENDED = 1000;
/** How long an ended session can still be looked at, counted from its end. */
export const KEPT_ENDED_MS = 60 * 60 * 1000;

/** The sessions of this broker, by id, in the order of their making. */
export class SessionRegistry {
  readonly #records = new Map<string, SessionRecord>();

  /** Sessions that have not ended. */
  get live(): SessionRecord[] {
    return [...this.#records.values()].filter(({ life }) => life.state !== 'ended');
  }

  /** Takes in a session. Ids are random, so none is there twice. */
  add(record: SessionRecord): void {
    this.#records.set(record.id, record);
  }

  /** Forgets a session, whatever its state. Idempotent. */
  remove(record: SessionRecord): void {
    this.#records.delete(record.id);
  }

  /** A session by id, also one whose channels do not exist yet: for the broker itself, never for a client. */
  find(id: string): SessionRecord | undefined {
    return this.#records.get(id);
  }

  /** @throws RunnelError `session_not_found`, also for ids that are none and for sessions whose channels do not exist yet. */
  get(id: string): SessionRecord {
    const record = this.#records.get(id);
    if (record !== undefined && record.urls !== null) return record;
    const shown = SessionId.safeParse(id).success ? `'${id}'` : 'of this id';
    throw new RunnelError('session_not_found', { message: `There is no session ${shown}.` });
  }

  /** A page of sessions, newest first. @throws RunnelError `invalid_request` for a cursor that is not ours. */
  list({ state, limit, cursor }: ListSessions): SessionList {
    const before = cursor === undefined ? Infinity : fromCursor(cursor);
    const matching = [...this.#records.values()]
      .reverse()
      .filter((record) => record.seed.order < before && (state === undefined || record.life.state === state))
      .flatMap((record) => {
        const view = record.view();
        return view === null ? [] : [{ view, order: record.seed.order }];
      });
    const page = matching.slice(0, limit);
    const last = page.at(-1);
    return {
      items: page.map(({ view }) => view),
      next: matching.length > page.length && last !== undefined ? toCursor(last.order) : null,
    };
  }

  /** Forgets ended sessions that are too many or too old. */
  prune(nowMs: number): void {
    const ended = [...this.#records.values()].filter(({ life }) => life.state === 'ended');
    const tooMany = ended.length - KEPT_ENDED;
    for (const [at, record] of ended.entries()) {
      if (at < tooMany || nowMs - (record.endedAtMs ?? nowMs) > KEPT_ENDED_MS) this.remove(record);
    }
  }
}

function toCursor(order: number): string {
  return Buffer.from(`before:${order}`).toString('base64url');
}

function fromCursor(cursor: string): number {
  const match = /^before:(\d{1,15})$/.exec(Buffer.from(cursor, 'base64url').toString());
  if (match !== null) return Number(match[1]);
  const field = { path: 'cursor', message: 'is not a cursor of this list' };
  throw new RunnelError('invalid_request', { message: `The request is not valid: cursor ${field.message}.`, fields: [field] });
}
