import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { Shard } from '@runnel/trickle-http';
import { handOver } from './detach.ts';
import { forwardStream } from './forward-stream.ts';
import { innerPath } from './inner.ts';
import { shardOf } from './shard-of.ts';
import type { Splices } from './splice.ts';

/** How a process passes on what is for another shard. */
export interface ElsewhereOptions {
  readonly count: number;
  /** Of this process; null in the front, which owns no channel. */
  readonly index: number | null;
  /** Directory of the inner sockets; null where nothing is encrypted. */
  readonly innerDirectory: string | null;
  /** Milliseconds that a client may take to receive the answers before. */
  readonly stallMs: number;
  /** What this shard is to tell clients of itself. */
  readonly url: () => string | null;
  readonly splices: Splices;
  /** Takes a connection that is ready for another process. */
  readonly give: (shard: number, socket: Socket, received: Buffer) => void;
}

/**
 * The relay's view of the other shards. A plain connection goes to the process that has its channel, socket and all, so that nothing stands between
 * them afterwards. One on TLS cannot: its keys are here; its bytes are passed on, and each HTTP/2 request by itself.
 */
export class Elsewhere implements Shard {
  readonly #options: ElsewhereOptions;

  constructor(options: ElsewhereOptions) {
    this.#options = options;
  }

  get url(): string | null {
    return this.#options.url();
  }

  owns(channel: string): boolean {
    return shardOf(channel, this.#options.count) === this.#options.index;
  }

  elsewhere(channel: string, socket: Socket, received: Buffer): void {
    const { count, innerDirectory, splices, give, stallMs } = this.#options;
    const shard = shardOf(channel, count);
    if ('encrypted' in socket) return splices.splice(socket, received, innerPath(innerDirectory!, shard));
    handOver(socket, received, { deadlineMs: stallMs, give: (all) => give(shard, socket, all) });
  }

  elsewhereStream(channel: string, stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    const { count, innerDirectory } = this.#options;
    forwardStream(stream, headers, innerPath(innerDirectory!, shardOf(channel, count)));
  }
}
