import type { Bus } from '@runnel/bus';
import { RunnelError, toRunnelError } from '@runnel/errors';
import { BUS } from '@runnel/schemas';
import type { SessionRecord } from './session-record.ts';
import type { Candidate, WorkerDirectory } from './worker-directory.ts';

/** What a caller may wait before it tries again when all slots are taken, in seconds. */
const RETRY_AFTER_SECONDS = 2;

/** What placing needs to know of the rest of the broker. */
export interface PlacementPorts {
  readonly bus: Bus;
  readonly directory: WorkerDirectory;
  /** The channels exist: the session is `starting`, and its events can be read. */
  readonly onPlaced: (record: SessionRecord) => void;
}

/**
 * Gets a session its channels and a worker. The slot is counted before the first wait, so that two sessions never get the same; the
 * worker still has the last word, and the next candidate is asked when it refuses.
 * @throws RunnelError `no_capacity`, `session_ended` (stopped meanwhile), what edge and worker threw.
 */
export async function place(record: SessionRecord, candidates: Candidate[], ports: PlacementPorts): Promise<void> {
  const { bus, directory } = ports;
  for (const { workerId } of candidates) {
    if (!directory.reserve(workerId, record.id)) continue;
    record.workerId = workerId;
    // Once for all candidates: a worker that refuses has not touched the channels.
    record.urls ??= (await bus.request(BUS.edgeCreate, {}, { sessionId: record.id }, { deadlineMs: record.seed.deadlines.placingMs })).urls;
    ports.onPlaced(record);
    if (await tryStart(record, workerId, ports)) return;
    record.workerId = null;
  }
  throw noCapacity(record.seed.input.processor);
}

/** True when the worker has accepted; false when it refuses in a way that lets another one be asked. */
async function tryStart(record: SessionRecord, workerId: string, { bus, directory }: PlacementPorts): Promise<boolean> {
  assertStarting(record);
  const { input, deadlines } = record.seed;
  try {
    await bus.request(
      BUS.workerStart,
      { workerId },
      {
        sessionId: record.id,
        processor: input.processor,
        params: record.values,
        output: input.output,
        trace: input.trace,
        urls: record.urls!.worker,
      },
      { deadlineMs: deadlines.startingMs },
    );
  } catch (thrown) {
    const { code } = toRunnelError(thrown);
    // These say that nothing was begun there. After any other failure, a deadline above all, the worker may hold the session.
    if (code !== 'no_capacity' && code !== 'overloaded' && code !== 'no_responder' && code !== 'shutting_down') throw thrown;
    directory.release(workerId, record.id);
    if (code === 'no_responder' || code === 'shutting_down') directory.markAbsent(workerId);
    return false;
  }
  return true;
}

function assertStarting(record: SessionRecord): void {
  if (record.life.state !== 'starting') throw endedMeanwhile(record);
}

/** The answer to whoever starts a session that somebody else has ended before it ran. */
export function endedMeanwhile({ life }: SessionRecord): RunnelError {
  return new RunnelError('session_ended', { message: `The session ended while it was started: ${life.detail ?? life.state}` });
}

/** The answer when no slot is free, with the time to wait. */
export function noCapacity(processor: string): RunnelError {
  return new RunnelError('no_capacity', {
    message: `No worker has a free slot for '${processor}'.`,
    details: { retryAfterSeconds: RETRY_AFTER_SECONDS },
  });
}
