import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { RunnelError } from '@runnel/errors';
import { SEGMENT_GONE_REASON, SEGMENT_GONE_STATUS } from '../headers.ts';

/** Body of a 404 (Trickle spec, Errors). */
export const STREAM_NOT_FOUND = 'Stream not found';

/** Answers with a short text and ends. Does nothing once headers are out. */
export function answer(res: ServerResponse, status: number, body: string, headers: OutgoingHttpHeaders = {}): void {
  if (res.headersSent || res.destroyed) return;
  const reason = status === SEGMENT_GONE_STATUS ? SEGMENT_GONE_REASON : undefined;
  const all: OutgoingHttpHeaders = { 'Content-Length': Buffer.byteLength(body), ...headers };
  if (body !== '') all['Content-Type'] ??= 'text/plain; charset=utf-8';
  if (reason === undefined) res.writeHead(status, all);
  else res.writeHead(status, reason, all);
  res.end(body);
}

/** Answers with the status and the message of an error. A channel that has ended looks like one that never was. */
export function answerError(res: ServerResponse, error: unknown, headers: OutgoingHttpHeaders = {}): void {
  if (!(error instanceof RunnelError)) return answer(res, 500, 'Internal error', headers);
  if (error.code === 'channel_closed') return answer(res, 404, STREAM_NOT_FOUND, headers);
  answer(res, error.status, error.message, headers);
}
