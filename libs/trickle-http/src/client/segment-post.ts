import type { ClientRequest } from 'node:http';
import { RunnelError } from '@runnel/errors';
import { HEADER } from '../headers.ts';
import type { Connections } from './connections.ts';
import { refusalError } from './refusal.ts';
import { waitFor, type WaitOutcome } from './wait.ts';

/** How a POST came out: an answer of the relay, or a connection that failed. */
export type PostOutcome =
  | { readonly kind: 'answered'; readonly status: number; readonly channelEnded: boolean }
  | { readonly kind: 'failed'; readonly cause: Error };

/** One POST of one segment; its headers are on the way at once, so that only bytes are missing when the segment begins. */
export class SegmentPost {
  readonly seq: number;
  /** Null while the relay has not answered. */
  outcome: PostOutcome | null = null;
  /** Whether bytes were handed to the connection. */
  begun = false;
  readonly #request: ClientRequest;
  /** Called at each sign of life: a connection, room for more bytes, the outcome. */
  readonly #wakers = new Set<() => void>();
  #connected = false;

  constructor(connections: Connections, options: { seq: number; mimeType: string }) {
    this.seq = options.seq;
    this.#request = connections.request('POST', `/${options.seq}`, { 'Content-Type': options.mimeType, 'Transfer-Encoding': 'chunked' });
    this.#request.on('response', (response) => {
      response.resume();
      response.on('error', () => {});
      this.#settle({
        kind: 'answered',
        status: response.statusCode ?? 0,
        channelEnded: response.headers[HEADER.closed.toLowerCase()] !== undefined,
      });
    });
    this.#request.on('error', (cause) => this.#settle({ kind: 'failed', cause }));
    this.#request.on('close', () => this.#settle({ kind: 'failed', cause: new Error('connection closed before the answer') }));
    this.#request.on('drain', () => this.#wake());
    this.#request.on('socket', (socket) => {
      const onConnect = () => {
        this.#connected = true;
        this.#wake();
      };
      if (socket.connecting) socket.once('encrypted' in socket ? 'secureConnect' : 'connect', onConnect);
      else onConnect();
    });
    this.#request.flushHeaders();
  }

  /** Resolves when there is a connection, or an outcome: what fails before that has lost nothing. */
  async ready(deadlineMs: number): Promise<void> {
    while (!this.#connected && this.outcome === null) {
      if ((await this.#wait(deadlineMs)) !== 'timeout') continue;
      this.#settle({ kind: 'failed', cause: new Error(`no connection within ${deadlineMs} ms`) });
    }
  }

  /** Sends bytes on; resolves when the connection takes more. @throws RunnelError as `check`, and `deadline_exceeded`. */
  async write(bytes: Uint8Array, deadlineMs: number): Promise<void> {
    this.check();
    this.begun = true;
    if (this.#request.write(bytes)) return;
    const waited = await this.#wait(deadlineMs);
    if (this.outcome !== null) this.check();
    else if (waited === 'timeout') throw this.#late(deadlineMs, 'takes no bytes');
  }

  /** Ends the body and waits for the answer. @throws RunnelError as `check`, and `deadline_exceeded`. */
  async end(deadlineMs: number): Promise<void> {
    if (this.outcome === null) {
      this.#request.end();
      while (this.outcome === null) {
        if ((await this.#wait(deadlineMs)) === 'timeout') throw this.#late(deadlineMs, 'does not answer');
      }
    }
    const { outcome } = this;
    const whole = outcome.kind === 'answered' && outcome.status === 200 && !outcome.channelEnded && this.#request.writableEnded;
    if (!whole) this.check();
  }

  /**
   * Throws when the relay has answered although the body is not complete, or the connection has failed.
   * @throws RunnelError `channel_not_found`, `channel_closed`, `payload_too_large`, `segment_gone`, `access_denied`, `invalid_request`, `edge_unreachable`.
   */
  check(): void {
    if (this.outcome !== null) throw outcomeError(this.outcome, this.seq);
  }

  /** Breaks the connection: a segment with bytes is cut. Idempotent. */
  destroy(): void {
    this.#request.destroy();
  }

  #settle(outcome: PostOutcome): void {
    if (this.outcome !== null) return;
    this.outcome = outcome;
    // An answer before the end of the body ends the exchange; the connection cannot be used again.
    if (!this.#request.writableEnded) this.#request.destroy();
    this.#wake();
  }

  #wake(): void {
    for (const waker of this.#wakers) waker();
  }

  #wait(timeoutMs: number): Promise<WaitOutcome> {
    return waitFor(
      (fire) => {
        this.#wakers.add(fire);
        return () => {
          this.#wakers.delete(fire);
        };
      },
      { timeoutMs },
    );
  }

  #late(deadlineMs: number, what: string): RunnelError {
    this.destroy();
    return new RunnelError('deadline_exceeded', { message: `The edge ${what} for segment ${this.seq} within ${deadlineMs} ms.` });
  }
}

/** Whether another try of the same segment may succeed: the connection failed, or the relay let the waiting POST go. */
export function isRepeatable(outcome: PostOutcome): boolean {
  if (outcome.kind === 'failed') return true;
  return (outcome.status === 200 && !outcome.channelEnded) || outcome.status === 429 || outcome.status >= 500;
}

/** The error that an outcome means for a segment that is not complete. */
export function outcomeError(outcome: PostOutcome, seq: number): RunnelError {
  if (outcome.kind === 'failed') {
    return new RunnelError('edge_unreachable', { message: `The connection for segment ${seq} was lost.`, cause: outcome.cause });
  }
  if (outcome.channelEnded) return new RunnelError('channel_closed', { message: 'The channel has ended.' });
  const message = `The edge answered ${outcome.status} to segment ${seq}.`;
  switch (outcome.status) {
    case 404:
      return new RunnelError('channel_not_found', { message: 'The edge has no such channel.' });
    case 413:
      return new RunnelError('payload_too_large', { message });
    case 470:
      return new RunnelError('segment_gone', { message });
    default:
      return (
        refusalError(outcome.status) ??
        new RunnelError(outcome.status >= 500 || outcome.status === 200 ? 'edge_unreachable' : 'invalid_request', { message })
      );
  }
}
