import { RunnelError } from '@runnel/errors';
import { type CallMessage, fromWireError, type ReplyMessage, type ShardCalls } from './protocol.ts';

/** Calls of one shard that may be under way at once; more are refused. */
export const MAX_CALLS = 1000;

/** How long a call may take when nothing else is said, in milliseconds. */
export const CALL_DEADLINE_MS = 5000;

/** What a call takes. */
export type Argument<K extends keyof ShardCalls> = Parameters<ShardCalls[K]>[0];
/** What a call gives. */
export type Result<K extends keyof ShardCalls> = Awaited<ReturnType<ShardCalls[K]>>;

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: RunnelError) => void;
  readonly timer: NodeJS.Timeout;
}

/** Calls to one shard process and what waits for their answers. */
export class Calls {
  readonly #send: (message: CallMessage) => void;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #lost: RunnelError | null = null;

  constructor(send: (message: CallMessage) => void) {
    this.#send = send;
  }

  /** Calls under way. */
  get size(): number {
    return this.#waiting.size;
  }

  /**
   * Asks and waits for the answer.
   * @throws RunnelError what the shard throws; `overloaded`, `deadline_exceeded`; `no_responder` when the process is gone.
   */
  call<K extends keyof ShardCalls>(name: K, argument: Argument<K>, options: { deadlineMs?: number } = {}): Promise<Result<K>> {
    const { deadlineMs = CALL_DEADLINE_MS } = options;
    if (this.#lost !== null) return Promise.reject(this.#lost);
    if (this.#waiting.size >= MAX_CALLS) {
      return Promise.reject(new RunnelError('overloaded', { message: `A shard has ${MAX_CALLS} requests under way already.` }));
    }
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise<Result<K>>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new RunnelError('deadline_exceeded', { message: `A shard has not answered '${name}' within ${deadlineMs} ms.` }));
      }, deadlineMs);
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject, timer });
      this.#send({ kind: 'call', id, name, argument });
    });
  }

  /** Takes an answer. One that nobody waits for any more is dropped. */
  answered(message: ReplyMessage): void {
    const waiting = this.#take(message.id);
    if (message.kind === 'reply') waiting?.resolve(message.value);
    else waiting?.reject(fromWireError(message.error));
  }

  /** The process is gone: rejects what waits and every later call. Idempotent. */
  lost(error: RunnelError): void {
    this.#lost ??= error;
    for (const id of this.#waiting.keys()) this.#take(id)!.reject(this.#lost);
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return undefined;
    this.#waiting.delete(id);
    clearTimeout(waiting.timer);
    return waiting;
  }
}
