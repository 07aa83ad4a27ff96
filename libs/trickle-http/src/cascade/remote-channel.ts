import { RunnelError } from '@runnel/errors';
import { Connections } from '../client/connections.ts';
import { SegmentGet } from '../client/segment-get.ts';
import { HEADER } from '../headers.ts';
import { STREAM_NOT_FOUND } from '../relay/short-answer.ts';
import type { Owner } from './directory.ts';
import type { Position } from './position.ts';

const DEFAULT_MIME_TYPE = 'application/octet-stream';
const MIME_TYPE = /^[\x20-\x7e]{1,200}$/;

/** A channel at the edge that owns it. */
export class RemoteChannel {
  /** Scheme, host and port of the owner. */
  readonly origin: string;
  readonly #owner: Owner;
  readonly #connections: Connections;
  #url: string;

  /** @throws RunnelError `invalid_request` when the owner's URL is not http or https. */
  constructor(owner: Owner, options: { via: string; ca?: string | Buffer }) {
    this.#owner = owner;
    this.#url = owner.url();
    this.#connections = new Connections(() => this.#url, { headers: { [HEADER.via]: options.via }, ca: options.ca });
    this.origin = new URL(this.#url).origin;
  }

  /** Takes a fresh URL for the requests to come. */
  renew(): void {
    this.#url = this.#owner.url();
  }

  /** Begins to read a segment, by its number. */
  get(seq: number): SegmentGet {
    return new SegmentGet(this.#connections, seq, () => {});
  }

  /**
   * Where the channel stands now; null when it is not there or may not be read. Asks for the metadata, and for the next write alone where
   * there is none. `start` is the target of the reader for whom it is asked: an edge that has to fetch the channel itself begins there.
   * @throws RunnelError `loop_detected`, `edge_unreachable` (an answer that makes no sense), or the connection's own error.
   */
  async locate(start: number, deadlineMs: number): Promise<Position | null> {
    const untilMs = performance.now() + deadlineMs;
    for (let fresh = false; ; fresh = true) {
      const answer = await this.#ask(`?start=${start}`, untilMs);
      if (answer !== 'refused') return answer;
      // A token may have run out since it was minted: another one gets one chance.
      if (fresh) return null;
      this.renew();
    }
  }

  /** Ends all connections, those in use included. Idempotent. */
  close(): void {
    this.#connections.close();
  }

  async #ask(query: string, untilMs: number): Promise<Position | null | 'refused'> {
    const metadata = await this.#exchange(query, untilMs);
    if (metadata.status === 401 || metadata.status === 403) return 'refused';
    // Any other 404 may be that of a route which is not there.
    if (metadata.status === 404 && metadata.body.trim() === STREAM_NOT_FOUND) return null;
    const position = metadata.status === 200 ? positionOf(metadata.body) : null;
    if (position !== null) return position === 'closed' ? null : position;
    const next = await this.#exchange(`/next${query}`, untilMs);
    if (next.status === 401 || next.status === 403) return 'refused';
    if (next.status === 404) return null;
    if (next.status === 200 && /^\d{1,15}$/.test(next.body)) {
      return { nextWrite: Number(next.body), oldest: null, mimeType: null, life: null };
    }
    throw new RunnelError('edge_unreachable', { message: `The upstream edge answered ${next.status} to the question for the next write.` });
  }

  async #exchange(suffix: string, untilMs: number): Promise<{ status: number; body: string }> {
    const answer = await this.#connections.exchange('GET', suffix, Math.max(1, untilMs - performance.now()));
    if (answer.status === 508) throw new RunnelError('loop_detected', { message: 'The upstream edge has been asked for this before.' });
    if (answer.status === 429 || answer.status >= 500) {
      throw new RunnelError('edge_unreachable', { message: `The upstream edge answered ${answer.status}.` });
    }
    return answer;
  }
}

/** Reads metadata (Trickle spec, Metadata); null when it is none. */
function positionOf(body: string): Position | 'closed' | null {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { seq, oldest, mimeType, createdAt, status } = value as Record<string, unknown>;
  if (!isSeq(seq)) return null;
  if (status === 'closed') return 'closed';
  return {
    nextWrite: seq,
    oldest: isSeq(oldest) ? Math.min(oldest, seq) : null,
    mimeType: safeMimeType(mimeType),
    life: typeof createdAt === 'string' ? createdAt : null,
  };
}

/** A MIME type that may go into the head of an answer, whoever gave it. */
export function safeMimeType(value: unknown): string {
  return typeof value === 'string' && MIME_TYPE.test(value) ? value : DEFAULT_MIME_TYPE;
}

function isSeq(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
