import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Connections } from './connections.ts';
import { SegmentBody } from './segment-body.ts';
import { waitFor } from './wait.ts';

/** How a GET came out. */
export type GetOutcome =
  | { readonly kind: 'answered'; readonly response: IncomingMessage; readonly body: SegmentBody }
  | { readonly kind: 'failed'; readonly cause: Error };

/** One GET of one segment, from its request to its headers. */
export class SegmentGet {
  readonly target: number;
  readonly openedMs = performance.now();
  /** Null while the relay has not answered. */
  outcome: GetOutcome | null = null;
  readonly #request: ClientRequest;
  #onOutcome: (() => void) | null = null;

  /** `onHeaders` is called at once when headers come, before anyone waits for them. */
  constructor(connections: Connections, target: number, onHeaders: () => void) {
    this.target = target;
    this.#request = connections.request('GET', `/${target}`);
    this.#request.on('response', (response) => {
      this.#settle({ kind: 'answered', response, body: new SegmentBody(response) });
      onHeaders();
    });
    this.#request.on('error', (cause) => this.#settle({ kind: 'failed', cause }));
    this.#request.on('close', () => this.#settle({ kind: 'failed', cause: new Error('connection closed before the answer') }));
    this.#request.end();
  }

  /** Registers the one who waits for the outcome; returns the function that takes it back. */
  onOutcome(listener: () => void): () => void {
    this.#onOutcome = listener;
    return () => {
      this.#onOutcome = null;
    };
  }

  /** Waits for the outcome; null when the time is over or a signal aborts before. */
  async wait(options: { timeoutMs: number; signals: readonly AbortSignal[] }): Promise<GetOutcome | null> {
    if (this.outcome === null) await waitFor((fire) => this.onOutcome(fire), options);
    return this.outcome;
  }

  /** Breaks the connection. Idempotent. */
  destroy(): void {
    this.#request.destroy();
  }

  #settle(outcome: GetOutcome): void {
    if (this.outcome !== null) return;
    this.outcome = outcome;
    this.#onOutcome?.();
  }
}
