import { Agent, type IncomingMessage, request } from 'node:http';
import { constants, type IncomingHttpHeaders, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2';

/** Fields that belong to a connection and not to a request or an answer (RFC 9110, 7.6.1). */
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'proxy-connection', 'te', 'transfer-encoding', 'upgrade']);

/** Connections to the shards, kept and used again. As many as there are requests; those are bounded where they come in. */
const agent = new Agent({ keepAlive: true, maxFreeSockets: 256 });

/** Passes one request of an HTTP/2 connection on to a shard, as one of HTTP/1.1 over its inner socket, and the answer back. */
export function forwardStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, socketPath: string): void {
  const onward = request({
    agent,
    socketPath,
    method: headers[':method'],
    path: headers[':path'],
    headers: requestHeaders(headers),
    setHost: false,
  });
  stream.on('error', () => {});
  stream.once('close', () => onward.destroy());
  onward.on('error', () => {
    if (!stream.headersSent && !stream.closed) unavailable(stream);
    else stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  });
  onward.on('continue', () => {
    if (!stream.headersSent && !stream.closed) stream.additionalHeaders({ ':status': 100 });
  });
  onward.once('response', (response) => answer(stream, response));
  if (stream.endAfterHeaders) return void onward.end();
  onward.flushHeaders();
  stream.pipe(onward, { end: false });
  stream.once('end', () => {
    // Node ends the body also when the stream was reset: only END_STREAM makes it whole.
    if (stream.closed) onward.destroy();
    else onward.end();
  });
}

function answer(stream: ServerHttp2Stream, response: IncomingMessage): void {
  if (stream.closed || stream.destroyed) return void response.destroy();
  let whole = false;
  // As for a segment that is served here: END_STREAM goes out where the answer is whole, and nowhere else.
  stream.once('wantTrailers', () => {
    if (!whole) return stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    stream.sendTrailers({});
    if (!stream.readableEnded) stream.close(constants.NGHTTP2_NO_ERROR);
  });
  stream.respond({ ':status': response.statusCode, ...kept(response.headers) }, { waitForTrailers: true });
  response.pipe(stream, { end: false });
  response.once('close', () => {
    whole = response.complete;
    stream.end();
  });
}

function requestHeaders(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  const all = kept(headers);
  all['host'] = headers[':authority'] ?? headers.host ?? 'edge';
  return all;
}

function kept(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  const all: OutgoingHttpHeaders = {};
  for (const [name, value] of Object.entries(headers)) {
    if (!name.startsWith(':') && !HOP_BY_HOP.has(name) && value !== undefined) all[name] = value;
  }
  return all;
}

function unavailable(stream: ServerHttp2Stream): void {
  stream.respond({ ':status': 503, 'retry-after': '1' }, { endStream: true });
  if (!stream.readableEnded) stream.close(constants.NGHTTP2_NO_ERROR);
}
