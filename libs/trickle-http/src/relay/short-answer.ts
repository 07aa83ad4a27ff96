import { RunnelError } from '@runnel/errors';
import type { RelayCounters } from './counters.ts';

/** Body of a 404 (Trickle spec, Errors). */
export const STREAM_NOT_FOUND = 'Stream not found';

/** An answer with a short body, whatever transport carries it. */
export interface ShortAnswer {
  readonly status: number;
  readonly body: string;
  /** Beside `Content-Length` and `Content-Type`; names as in the Trickle spec. */
  readonly headers?: Readonly<Record<string, string | number>>;
  /** Default `text/plain; charset=utf-8`, when there is a body. */
  readonly contentType?: string;
  /** The connection ends with it (HTTP/1.1 only). */
  readonly close?: boolean;
}

/** 404 of a channel that is not there, has ended or may not be known. */
export const NOT_FOUND: ShortAnswer = { status: 404, body: STREAM_NOT_FOUND };

/** As `NOT_FOUND`, and wakes clients that preconnected. */
export const NOT_FOUND_CLOSE: ShortAnswer = { ...NOT_FOUND, close: true };

/** Seconds after which a full or leaving relay may be asked again. */
const RETRY_AFTER_SECONDS = 1;

/** The answer to a request that failed, and its count. A channel that has ended looks like one that never was. */
export function errorAnswer(error: unknown, counters: RelayCounters, options: { close: boolean }): ShortAnswer {
  const { close } = options;
  if (!(error instanceof RunnelError)) return { status: 500, body: 'Internal error', close };
  const { code } = error;
  if (code === 'channel_closed' || code === 'channel_not_found') {
    counters.notFound += 1;
    return close ? NOT_FOUND_CLOSE : NOT_FOUND;
  }
  if (code === 'payload_too_large') counters.tooLarge += 1;
  else if (code === 'storage_full') counters.full += 1;
  else if (code === 'limit_exceeded') counters.limited += 1;
  const wait = error.retryable && error.status >= 500;
  return { status: error.status, body: error.message, close, ...(wait ? { headers: { 'Retry-After': RETRY_AFTER_SECONDS } } : {}) };
}
