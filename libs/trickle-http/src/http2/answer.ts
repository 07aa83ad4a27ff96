import { constants, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { RelayContext } from '../relay/context.ts';
import type { ShortAnswer } from '../relay/short-answer.ts';
import type { Exchange } from './exchange.ts';

/**
 * Answers a request with a short body and is done with it. When the body of the request has not been read to its end, the client is asked to
 * stop sending it (RFC 9113, 8.1). Does nothing on a stream that has its headers or is gone.
 */
export function answer(stream: ServerHttp2Stream, { status, body, headers, contentType }: ShortAnswer): void {
  if (stream.headersSent || stream.closed || stream.destroyed) return;
  const bytes = Buffer.from(body);
  const all: OutgoingHttpHeaders = { ':status': status, 'content-length': bytes.byteLength };
  if (body !== '') all['content-type'] = contentType ?? 'text/plain; charset=utf-8';
  // HTTP/2 has field names in lower case (RFC 9113, 8.2.1); a connection that ends with an answer is none of its means.
  for (const name in headers) all[name.toLowerCase()] = headers[name];
  // Node has ended the answer to a HEAD by itself.
  const bare = body === '' || stream.writableEnded;
  stream.respond(all, { endStream: bare });
  if (!bare) stream.end(bytes);
  if (!stream.readableEnded) stream.close(constants.NGHTTP2_NO_ERROR);
}

/** A request whose answer is on its way. A client that gives no window for it is not waited for longer than one that does not read. */
export class Answered implements Exchange {
  readonly #relay: RelayContext;
  readonly #stream: ServerHttp2Stream;
  readonly #sinceMs: number;

  constructor(relay: RelayContext, stream: ServerHttp2Stream) {
    this.#relay = relay;
    this.#stream = stream;
    this.#sinceMs = relay.hub.clock();
  }

  tick(nowMs: number): void {
    if (nowMs - this.#sinceMs > this.#relay.bounds.stallMs) this.#stream.close(constants.NGHTTP2_CANCEL);
  }

  gone(): void {}
}
