import { FastifyAdapter } from '@nestjs/platform-fastify';
import { RunnelError } from '@runnel/errors';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { PROBLEM_MEDIA_TYPE, toHttpError, toProblem } from './problem.ts';

/** Largest request body. Requests are small JSON; checking a large one would hold up the event loop, and with it video in solo mode. */
export const MAX_BODY_BYTES = 1024 * 1024;
/** How long a client may take for its request headers, and for the whole request, in milliseconds (slow-loris clients). */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
/**
 * A connection on which nothing moves for this long is closed, in milliseconds. Longer than any answer may take (a session whose model
 * loads for a minute); open event streams send keep-alives more often.
 */
export const CONNECTION_TIMEOUT_MS = 120_000;
/** How long an idle connection stays open for a next request, in milliseconds. */
const KEEP_ALIVE_TIMEOUT_MS = 10_000;

/** Fastify with limits on what a client may hold, and JSON as the only content type: a form of another site cannot post here. */
export function createServer(): FastifyAdapter {
  const adapter = new FastifyAdapter({
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    http: { headersTimeout: HEADERS_TIMEOUT_MS, connectionsCheckingInterval: 5000 },
    trustProxy: false,
    return503OnClosing: false,
    forceCloseConnections: true,
    frameworkErrors: (error: Error, _request: FastifyRequest, reply: FastifyReply) => sendProblem(reply, toHttpError(error)),
    clientErrorHandler,
  });
  const instance = adapter.getInstance();
  instance.removeContentTypeParser('text/plain');
  // An expectation that we do not know may be ignored (RFC 9110, 10.1.1); Node's own answer would not be problem+json.
  instance.server.on('checkExpectation', (request, response) => instance.server.emit('request', request, response));
  return adapter;
}

/** Answers with the problem+json body of an error, and `Retry-After` when its details say `retryAfterSeconds`. */
export function sendProblem(reply: FastifyReply, error: RunnelError, instance?: string): void {
  const { retryAfterSeconds } = error.details;
  if (typeof retryAfterSeconds === 'number') reply.header('retry-after', String(retryAfterSeconds));
  reply
    .code(error.status)
    .header('cache-control', 'no-store')
    .type(PROBLEM_MEDIA_TYPE)
    .send(JSON.stringify(toProblem(error, instance)));
}

/** What cannot be parsed as HTTP never becomes a request: the answer is written to the socket as it stands. */
function clientErrorHandler(error: Error & { code?: string }, socket: Socket & { _httpMessage?: ServerResponse }): void {
  // Once an answer has begun, another one would be read as part of it.
  if (error.code === 'ECONNRESET' || !socket.writable || socket._httpMessage?.headersSent) {
    socket.destroy();
    return;
  }
  const problem = toProblem(clientError(error.code));
  const body = JSON.stringify(problem);
  socket.end(
    `HTTP/1.1 ${problem.status} ${problem.title}\r\nContent-Type: ${PROBLEM_MEDIA_TYPE}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

function clientError(code: string | undefined): RunnelError {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new RunnelError('request_timeout', { message: 'The request did not arrive in time.' });
  if (code === 'HPE_HEADER_OVERFLOW')
    return new RunnelError('headers_too_large', { message: 'The request headers are larger than 16 KiB.' });
  return new RunnelError('invalid_request', { message: 'This is not an HTTP request.' });
}
