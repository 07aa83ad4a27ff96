import { STATUS_CODES } from 'node:http';
import { SEGMENT_GONE_REASON, SEGMENT_GONE_STATUS } from '../headers.ts';
import type { ShortAnswer } from '../relay/short-answer.ts';
import { flat } from '../flat.ts';

/** How the connection goes on after an answer. */
export interface AnswerFraming {
  /** Minor version of the request. */
  readonly minor: 0 | 1;
  readonly keepAlive: boolean;
  /** Value of `Date` (RFC 9110, 6.6.1). */
  readonly date: string;
}

/** Interim answer to a client that waits (RFC 9110, 15.2.1). */
export const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';

/** The last chunk, without trailers (RFC 9112, 7.1). */
export const LAST_CHUNK = Buffer.from('0\r\n\r\n', 'latin1');

/** The whole of a short answer in Latin-1. Its body is ASCII or UTF-8, which goes out byte by byte. */
export function shortAnswerText(answer: ShortAnswer, framing: AnswerFraming): string {
  const body = answer.body === '' ? '' : Buffer.from(answer.body, 'utf8').toString('latin1');
  let text = `${beginning(answer.status, framing.date)}Content-Length: ${body.length}\r\n`;
  if (body !== '') text += `Content-Type: ${answer.contentType ?? 'text/plain; charset=utf-8'}\r\n`;
  for (const name in answer.headers) text += `${name}: ${answer.headers[name]}\r\n`;
  return `${text}${connectionHeader(framing)}\r\n${body}`;
}

/** Head of a 200 whose body streams: chunked, or until the end of the connection for HTTP/1.0. */
export function streamHeadText(headers: readonly (readonly [string, string | number])[], framing: AnswerFraming): string {
  let text = beginning(200, framing.date);
  for (const [name, value] of headers) text += `${name}: ${value}\r\n`;
  if (framing.minor === 1) text += 'Transfer-Encoding: chunked\r\n';
  return `${text}${connectionHeader(framing)}\r\n`;
}

/** Status line and date; remembered, as there are few and each is written thousands of times a second. */
function beginning(status: number, date: string): string {
  if (date !== beginningsDate) {
    beginningsDate = date;
    beginnings.clear();
  }
  let text = beginnings.get(status);
  if (text === undefined) {
    text = flat(`${statusLine(status)}Date: ${date}\r\n`);
    beginnings.set(status, text);
  }
  return text;
}

const beginnings = new Map<number, string>();
let beginningsDate = '';

function statusLine(status: number): string {
  const reason = status === SEGMENT_GONE_STATUS ? SEGMENT_GONE_REASON : (STATUS_CODES[status] ?? 'Unknown');
  return `HTTP/1.1 ${status} ${reason}\r\n`;
}

function connectionHeader({ minor, keepAlive }: AnswerFraming): string {
  if (!keepAlive) return 'Connection: close\r\n';
  return minor === 0 ? 'Connection: keep-alive\r\n' : '';
}
