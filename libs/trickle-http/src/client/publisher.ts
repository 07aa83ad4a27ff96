import { RunnelError } from '@runnel/errors';
import type { Publisher, SegmentWriter } from '@runnel/trickle-core';
import { Connections } from './connections.ts';
import { refusalError } from './refusal.ts';
import { backoffMs, MAX_FAILURES } from './retry.ts';
import { isRepeatable, outcomeError, SegmentPost } from './segment-post.ts';
import { pause } from './wait.ts';

/** Settings of a publisher. */
export interface PublisherOptions {
  /** URL of the channel, without a sequence number. */
  url: string;
  /** MIME type of the segments. */
  mimeType: string;
  /** Number of the first segment; by default the channel's next write is asked for. */
  start?: number;
  /** Certificate authorities (PEM) to trust instead of the system's, for https. */
  ca?: string | Buffer;
}

/** How long the relay may take to accept bytes, or to acknowledge the end of a segment. */
const ANSWER_DEADLINE_MS = 10_000;

/** How long `close` waits for what is in flight, and again for the end of the channel. */
const CLOSE_DEADLINE_MS = 5000;

/** Segments that are ended and not yet acknowledged, at most. */
const MAX_IN_FLIGHT = 16;

/**
 * Publishes to a channel over HTTP. The POST of the next segment is always open before it is needed; one that fails before its
 * first byte is opened again under the same number (Trickle spec, Clients).
 * @throws RunnelError `invalid_request` when the URL is not http or https.
 */
export function createPublisher(options: PublisherOptions): Publisher {
  return new HttpPublisher(options);
}

class HttpPublisher implements Publisher {
  readonly #connections: Connections;
  readonly #mimeType: string;
  readonly #closing = new AbortController();
  readonly #inFlight = new Set<Promise<void>>();
  /** Number of the next segment; null until the relay has told it. */
  #seq: number | null;
  /** Whether the channel has been there. */
  #known = false;
  #preconnected: SegmentPost | null = null;
  #current: SegmentPost | null = null;
  #closed: Promise<void> | null = null;

  constructor(options: PublisherOptions) {
    this.#connections = new Connections(options.url, { ca: options.ca });
    this.#mimeType = options.mimeType;
    this.#seq = options.start ?? null;
  }

  async open(): Promise<SegmentWriter> {
    if (this.#closing.signal.aborted) throw closedError();
    if (this.#current !== null) throw new RunnelError('invalid_request', { message: `Segment ${this.#current.seq} is still open.` });
    this.#seq ??= await this.#askNext();
    while (this.#inFlight.size >= MAX_IN_FLIGHT) await Promise.race(this.#inFlight);
    const waiting = this.#preconnected ?? this.#post(this.#seq);
    this.#preconnected = null;
    const post = await this.#ready(waiting);
    this.#seq = post.seq + 1;
    this.#current = post;
    this.#preconnected = this.#post(this.#seq);
    return this.#writer(post);
  }

  close(options: { endChannel?: boolean } = {}): Promise<void> {
    this.#closed ??= this.#close(options.endChannel === true);
    return this.#closed;
  }

  #writer(opened: SegmentPost): SegmentWriter {
    let post = opened;
    const done = () => {
      if (this.#current === post) this.#current = null;
    };
    return {
      seq: opened.seq,
      write: async (bytes) => {
        if (!post.begun && post.outcome !== null) {
          post = await this.#ready(post);
          this.#current = post;
        }
        await post.write(bytes, ANSWER_DEADLINE_MS).catch((error) => {
          throw this.#told(error);
        });
      },
      end: () => {
        done();
        return this.#track(this.#end(post));
      },
      abort: async () => {
        done();
        if (post.begun) post.destroy();
        // Nothing to cut: ended empty, nobody waits for it. Where that fails, the channel has ended or the number is open as by a broken connection.
        else await this.#track(this.#end(post).catch(() => {}));
      },
    };
  }

  /** The post itself once it is connected; another one of the same number while that may help. */
  async #ready(first: SegmentPost): Promise<SegmentPost> {
    let post = first;
    for (let failures = 1; ; failures += 1) {
      await post.ready(ANSWER_DEADLINE_MS);
      if (this.#closing.signal.aborted) {
        post.destroy();
        throw closedError();
      }
      if (post.outcome === null) return post;
      if (!isRepeatable(post.outcome) || failures > MAX_FAILURES) throw this.#told(outcomeError(post.outcome, post.seq));
      await pause(backoffMs(failures), [this.#closing.signal]);
      post = this.#post(post.seq);
    }
  }

  #post(seq: number): SegmentPost {
    return new SegmentPost(this.#connections, { seq, mimeType: this.#mimeType });
  }

  async #askNext(): Promise<number> {
    let cause: unknown;
    for (let failures = 1; failures <= MAX_FAILURES; failures += 1) {
      try {
        const { status, body } = await this.#connections.exchange('GET', '/next', ANSWER_DEADLINE_MS);
        if (status === 404) throw new RunnelError('channel_not_found', { message: 'The edge has no such channel.' });
        const refusal = refusalError(status);
        if (refusal !== null) throw refusal;
        if (status === 200 && /^\d{1,15}$/.test(body)) {
          this.#known = true;
          return Number(body);
        }
        cause = new Error(`unexpected answer ${status} to /next`);
      } catch (error) {
        if (error instanceof RunnelError) throw error;
        cause = error;
      }
      await pause(backoffMs(failures), [this.#closing.signal]);
      if (this.#closing.signal.aborted) throw closedError();
    }
    throw new RunnelError('edge_unreachable', { message: 'The edge does not tell where to publish.', cause });
  }

  async #end(post: SegmentPost): Promise<void> {
    try {
      await post.end(ANSWER_DEADLINE_MS);
      this.#known = true;
    } catch (error) {
      throw this.#told(error);
    }
  }

  /** A channel that was there and is not any more has ended. */
  #told(error: unknown): unknown {
    const gone = this.#known && error instanceof RunnelError && error.code === 'channel_not_found';
    return gone ? new RunnelError('channel_closed', { message: 'The channel has ended.' }) : error;
  }

  /** Keeps count of an acknowledgement that `close` waits for; a failure is the caller's of `end`. */
  #track(ended: Promise<void>): Promise<void> {
    const settled = ended.then(
      () => {},
      () => {},
    );
    this.#inFlight.add(settled);
    return ended.finally(() => this.#inFlight.delete(settled));
  }

  async #close(endChannel: boolean): Promise<void> {
    this.#closing.abort();
    this.#current?.destroy();
    const deadline = new AbortController();
    await Promise.race([Promise.allSettled(this.#inFlight), pause(CLOSE_DEADLINE_MS, [deadline.signal])]);
    deadline.abort();
    try {
      // A channel that is gone already is what was wanted; one that cannot be reached is ended by the relay's sweep.
      if (endChannel) await this.#connections.exchange('DELETE', '', CLOSE_DEADLINE_MS).catch(() => null);
    } finally {
      this.#preconnected?.destroy();
      this.#connections.close();
    }
  }
}

function closedError(): RunnelError {
  return new RunnelError('channel_closed', { message: 'The publisher is closed.' });
}
