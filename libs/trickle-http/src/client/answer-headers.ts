import type { IncomingMessage } from 'node:http';
import { parseSequence } from '@runnel/trickle-core';
import { HEADER } from '../headers.ts';

/** The sequence number of an answer that serves a segment; null of any other answer. */
export function servedSeq(response: IncomingMessage): number | null {
  return response.statusCode === 200 && !isTerminated(response) ? headerSeq(response, HEADER.seq) : null;
}

/** Whether an answer says that its channel has ended. */
export function isTerminated(response: IncomingMessage): boolean {
  return response.headers[HEADER.closed.toLowerCase()] !== undefined;
}

/** A sequence number in a header; null when there is none. */
export function headerSeq(response: IncomingMessage, name: string): number | null {
  const value = response.headers[name.toLowerCase()];
  const seq = typeof value === 'string' ? parseSequence(value) : null;
  return seq === null || seq < 0 ? null : seq;
}
