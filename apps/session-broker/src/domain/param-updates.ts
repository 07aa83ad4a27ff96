import type { Bus } from '@runnel/bus';
import { RunnelError } from '@runnel/errors';
import { BUS, type ParamsAccepted, type ParamValues } from '@runnel/schemas';
import type { ParamChecker } from './param-checker.ts';
import type { SessionRecord } from './session-record.ts';

/** How long the edge may take to write an update to the control channel, in milliseconds. */
export const CONTROL_DEADLINE_MS = 5000;
/** Updates of one session that may wait for their turn. */
const MAX_WAITING_UPDATES = 32;

interface Line {
  waiting: number;
  last: Promise<unknown>;
}

/** Parameter updates, one at a time for each session, so that revisions reach the control channel in order. */
export class ParamUpdates {
  readonly #bus: Bus;
  readonly #checker: ParamChecker;
  readonly #lines = new Map<SessionRecord, Line>();

  constructor({ bus, checker }: { bus: Bus; checker: ParamChecker }) {
    this.#bus = bus;
    this.#checker = checker;
  }

  /** @throws RunnelError `session_ended`, `session_not_ready`, `invalid_params`, `overloaded`, what the edge threw. */
  async update(record: SessionRecord, changes: ParamValues): Promise<ParamsAccepted> {
    return this.#inTurn(record, () => this.#update(record, changes));
  }

  /** Writes the values of the latest accepted update once more, for a worker that may have missed it. @throws RunnelError likewise. */
  async replay(record: SessionRecord): Promise<void> {
    await this.#inTurn(record, async () => {
      if (record.life.state !== 'running' || record.appliedRevision >= record.revision) return;
      await this.#write(record, record.revision, record.values);
    });
  }

  async #inTurn<T>(record: SessionRecord, work: () => Promise<T>): Promise<T> {
    const line = this.#lines.get(record) ?? { waiting: 0, last: Promise.resolve() };
    if (line.waiting >= MAX_WAITING_UPDATES) {
      throw new RunnelError('overloaded', { message: `${MAX_WAITING_UPDATES} parameter updates of this session are already waiting.` });
    }
    this.#lines.set(record, line);
    line.waiting += 1;
    const turn = line.last.then(work);
    line.last = turn.catch(() => {});
    try {
      return await turn;
    } finally {
      line.waiting -= 1;
      if (line.waiting === 0) this.#lines.delete(record);
    }
  }

  async #update(record: SessionRecord, changes: ParamValues): Promise<ParamsAccepted> {
    assertRunning(record);
    const values = this.#checker.check(record.seed.offer, { ...record.values, ...changes });
    // Taken before the write: when its answer stays out, the edge may still have written it, and no other update may bear this number.
    record.issuedRevision += 1;
    const revision = record.issuedRevision;
    await this.#write(record, revision, values);
    record.values = values;
    record.revision = revision;
    return { revision, values };
  }

  async #write(record: SessionRecord, revision: number, values: ParamValues): Promise<void> {
    const body = { ...values, runnel: { revision } };
    await this.#bus.request(BUS.edgeControl, {}, { sessionId: record.id, body }, { deadlineMs: CONTROL_DEADLINE_MS });
  }
}

function assertRunning({ id, life }: SessionRecord): void {
  if (life.state === 'running') return;
  if (life.state === 'stopping' || life.state === 'ended') {
    throw new RunnelError('session_ended', { message: `Session '${id}' is ${life.state}: ${life.detail ?? 'no reason given.'}` });
  }
  throw new RunnelError('session_not_ready', { message: `Session '${id}' is still ${life.state}.` });
}
