import type { IncomingMessage } from 'node:http';
import { RunnelError } from '@runnel/errors';
import { type Gap, gapError, type OnGap, type ReadSegment, startTarget, type Subscriber, type SubscribeStart } from '@runnel/trickle-core';
import { HEADER, SEGMENT_GONE_STATUS } from '../headers.ts';
import { headerSeq, isTerminated, servedSeq } from './answer-headers.ts';
import { Connections } from './connections.ts';
import { refusalError } from './refusal.ts';
import { backoffMs, MAX_FAILURES } from './retry.ts';
import { type GetOutcome, SegmentGet } from './segment-get.ts';
import { pause, waitFor } from './wait.ts';

/** Settings of a subscriber. */
export interface SubscriberOptions {
  /** URL of the channel, without a sequence number. */
  url: string;
  /** Where to begin: `current` (the segment being written), `next`, or a sequence number. */
  start: SubscribeStart;
  /** A GET that has waited this long for its segment is opened again. Default 20 s. */
  reopenMs?: number;
  /** What to do about segments that cannot be read any more. Default `jump`. */
  onGap?: OnGap;
  /** Certificate authorities (PEM) to trust instead of the system's, for https. */
  ca?: string | Buffer;
}

const REOPEN_MS = 20_000;

/**
 * Subscribes to a channel over HTTP. The GET of segment n + 1 is opened when the headers of segment n arrive
 * (Trickle spec, Clients).
 * @throws RunnelError `invalid_request` when the URL is not http or https.
 */
export function createSubscriber(options: SubscriberOptions): Subscriber {
  return new HttpSubscriber(options);
}

class HttpSubscriber implements Subscriber {
  readonly #connections: Connections;
  readonly #reopenMs: number;
  readonly #onGap: OnGap;
  readonly #closing = new AbortController();
  #target: number;
  /** The GET that `next` waits for. */
  #pending: SegmentGet | null = null;
  /** The GET after it, as soon as the headers of the pending one have come. */
  #ahead: SegmentGet | null = null;
  #failures = 0;
  #failed: RunnelError | null = null;
  #ended = false;

  constructor(options: SubscriberOptions) {
    this.#connections = new Connections(options.url, { ca: options.ca });
    this.#reopenMs = options.reopenMs ?? REOPEN_MS;
    this.#onGap = options.onGap ?? 'jump';
    this.#target = startTarget(options.start);
  }

  async next(signal?: AbortSignal): Promise<ReadSegment | Gap | null> {
    while (!this.#ended && !this.#closing.signal.aborted) {
      signal?.throwIfAborted();
      if (this.#failed !== null) throw this.#failed;
      const get = (this.#pending ??= this.#get(this.#target));
      const outcome = await this.#outcome(get, signal);
      if (outcome === null) continue;
      this.#pending = null;
      const result = outcome.kind === 'failed' ? null : this.#judge(outcome);
      if (result !== null && result !== 'failed') return result === 'ended' ? null : result;
      await this.#fail(outcome, signal);
    }
    return null;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#pending?.destroy();
    this.#ahead?.destroy();
    this.#connections.close();
  }

  #get(target: number): SegmentGet {
    return new SegmentGet(this.#connections, target, () => this.#preconnect());
  }

  /** Opens the GET of the segment after the pending one, once that one's headers are there. */
  #preconnect(): void {
    const outcome = this.#pending?.outcome;
    if (outcome?.kind !== 'answered' || this.#ahead !== null || this.#closing.signal.aborted) return;
    const seq = servedSeq(outcome.response);
    if (seq !== null) this.#ahead = this.#get(seq + 1);
  }

  /** Waits for the headers; null when the wait has to begin anew. @throws the signal's reason. */
  async #outcome(get: SegmentGet, signal: AbortSignal | undefined): Promise<GetOutcome | null> {
    if (get.outcome !== null) return get.outcome;
    const timeoutMs = Math.max(0, get.openedMs + this.#reopenMs - performance.now());
    const waited = await waitFor((fire) => get.onOutcome(fire), { timeoutMs, signals: [this.#closing.signal, signal] });
    signal?.throwIfAborted();
    if (waited === 'timeout' && get.outcome === null) {
      this.#pending = this.#get(get.target);
      get.destroy();
      return null;
    }
    return this.#closing.signal.aborted ? null : get.outcome;
  }

  /** What an answer means. `failed`: nothing that helps; try again. @throws RunnelError `channel_not_found`, `access_denied`, `invalid_request`, `stream_gap`. */
  #judge({ response, body }: Extract<GetOutcome, { kind: 'answered' }>): ReadSegment | Gap | 'ended' | 'failed' {
    const status = response.statusCode ?? 0;
    const seq = servedSeq(response);
    if (seq !== null) {
      this.#failures = 0;
      this.#target = seq + 1;
      this.#pending = this.#ahead ?? this.#get(this.#target);
      this.#ahead = null;
      this.#preconnect();
      return { kind: 'segment', seq, bytes: body.read(seq) };
    }
    response.destroy();
    if (status === 200 && isTerminated(response)) {
      this.#ended = true;
      return 'ended';
    }
    if (status === 404) throw new RunnelError('channel_not_found', { message: 'The edge has no such channel.' });
    if (status === SEGMENT_GONE_STATUS) return this.#jump(response);
    const refusal = refusalError(status);
    if (refusal !== null) throw refusal;
    if (status >= 400 && status < 500 && status !== 408 && status !== 429) {
      throw new RunnelError('invalid_request', { message: `The edge answered ${status} to a read of ${this.#target}.` });
    }
    return 'failed';
  }

  /** Goes on at the live edge. A relay that starts anew counts from 0: then there is nothing between to tell of. */
  #jump(response: IncomingMessage): Gap | 'failed' {
    const from = this.#target;
    const to = headerSeq(response, HEADER.latest);
    if (to === null || to === from) return 'failed';
    this.#target = to;
    if (from < 0 || to < from) return 'failed';
    const reason = this.#failures > 0 ? 'connection' : 'window';
    this.#failures = 0;
    const gap: Gap = { kind: 'gap', from, to, reason };
    if (this.#onGap === 'jump') return gap;
    this.#failed = gapError(gap);
    throw this.#failed;
  }

  async #fail(outcome: GetOutcome, signal: AbortSignal | undefined): Promise<void> {
    this.#ahead?.destroy();
    this.#ahead = null;
    this.#failures += 1;
    if (this.#failures > MAX_FAILURES) {
      const cause = outcome.kind === 'failed' ? outcome.cause : new Error(`answer ${outcome.response.statusCode}`);
      throw new RunnelError('edge_unreachable', { message: `The edge failed ${this.#failures} times in a row.`, cause });
    }
    await pause(backoffMs(this.#failures), [this.#closing.signal, signal]);
  }
}
