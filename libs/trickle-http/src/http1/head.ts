import type { RelayRequest } from '../relay/request.ts';
import { flat } from '../flat.ts';

/** How a request's body is delimited (RFC 9112, 6): chunked, or a number of bytes, 0 without one. */
export type BodyLength = 'chunked' | number;

/** A request as its head tells it. */
export interface RequestHead extends RelayRequest {
  /** 1 for HTTP/1.1, 0 for HTTP/1.0. */
  readonly minor: 0 | 1;
  /** Whether the client wants to use the connection again. */
  readonly keepAlive: boolean;
  readonly body: BodyLength;
  /** The client waits for `100 Continue` before it sends the body. */
  readonly expectContinue: boolean;
}

/** Why a head is refused; the connection ends with it, as nobody knows where the next request begins. */
export interface HeadFault {
  readonly status: 400 | 417 | 501 | 505;
  readonly message: string;
}

/** The header fields that mean something to the relay. All other fields are checked for their form and left out. */
interface Fields {
  readonly body: BodyLength;
  readonly close: boolean;
  readonly keepAlive: boolean;
  readonly expectContinue: boolean;
  readonly hosts: number;
  readonly contentType: string | null;
  readonly expectContent: string | null;
  readonly reset: boolean;
  readonly via: string | null;
}

// Request line: method, target of visible ASCII, version (RFC 9112, 3).
const REQUEST_LINE = /^[A-Z]{1,20} [!-~]+ HTTP\/\d\.\d$/;
const VERSION_LENGTH = 'HTTP/1.1'.length;
// Field line: a token, a colon without space before it, a value without controls (RFC 9110, 5.5 and 5.6.2). No folding. The space around
// the value is taken off by hand: in the expression it would make lines of spaces take time with the third power of their length.
const FIELD_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([\t\x20-\x7e\x80-\xff]*)$/;
const ABSOLUTE_FORM = /^https?:\/\/[\w.~%!$&'()*+,;=:@[\]-]*(?=[/?#]|$)/i;

/** Different field sections seen that are remembered: the requests of one client differ in their first line alone. */
const MAX_REMEMBERED = 512;

/** Longer field sections are parsed each time, so that the memory for them stays small. */
const MAX_REMEMBERED_LENGTH = 1024;

const remembered = new Map<string, Fields>();

/**
 * Parses a request's head: request line and field lines in Latin-1, without the empty line at the end. Strict, as what it lets through is
 * relied on to find where a request ends: no folding, no bare CR or LF, one Host, one Content-Length, never with Transfer-Encoding.
 */
export function parseHead(text: string): RequestHead | HeadFault {
  const lineEnd = text.indexOf('\r\n');
  const line = lineEnd === -1 ? text : text.slice(0, lineEnd);
  // Checked as a whole and then cut at its two spaces: a match with groups would make five texts where two are needed.
  if (!REQUEST_LINE.test(line)) return fault(400, 'Malformed request line');
  const methodEnd = line.indexOf(' ');
  const versionAt = line.length - VERSION_LENGTH;
  const method = line.slice(0, methodEnd);
  const rawTarget = line.slice(methodEnd + 1, versionAt - 1);
  const isOne = line.endsWith('HTTP/1.1');
  if (!isOne && !line.endsWith('HTTP/1.0')) return fault(505, 'HTTP/1.1 or HTTP/1.0, please');
  const minor = isOne ? 1 : 0;
  const fields = fieldsOf(lineEnd === -1 ? '' : text.slice(lineEnd + 2));
  if ('status' in fields) return fields;
  // A request of HTTP/1.1 without Host, or with two, is to be refused (RFC 9112, 3.2).
  if (fields.hosts > 1 || (fields.hosts === 0 && minor === 1)) return fault(400, 'One Host header, please');
  // HTTP/1.0 has no chunked coding: somebody on the way may have seen another end of this body (RFC 9112, 6.1).
  if (minor === 0 && fields.body === 'chunked') return fault(400, 'Transfer-Encoding in HTTP/1.0');
  const target = rawTarget.startsWith('/') ? rawTarget : rawTarget.replace(ABSOLUTE_FORM, '');
  const keepAlive = minor === 1 ? !fields.close : fields.keepAlive && !fields.close;
  const { body, contentType, expectContent, reset, via } = fields;
  return {
    method,
    target,
    minor,
    keepAlive,
    body,
    expectContinue: minor === 1 && fields.expectContinue,
    contentType,
    expectContent,
    reset,
    via,
  };
}

/** The fields of a section, remembered when it was seen before. */
function fieldsOf(section: string): Fields | HeadFault {
  const known = remembered.get(section);
  if (known !== undefined) return known;
  const fields = parseFields(section);
  if ('status' in fields || section.length > MAX_REMEMBERED_LENGTH) return fields;
  if (remembered.size >= MAX_REMEMBERED) remembered.clear();
  // A copy: a part of a string keeps the whole of it.
  remembered.set(flat(section), fields);
  return fields;
}

function parseFields(section: string): Fields | HeadFault {
  let [length, chunked, hosts, close, keepAlive, expectContinue, reset]: [
    number | null,
    boolean,
    number,
    boolean,
    boolean,
    boolean,
    boolean,
  ] = [null, false, 0, false, false, false, false];
  let [contentType, expectContent, via]: (string | null)[] = [null, null, null];
  for (const line of section === '' ? [] : section.split('\r\n')) {
    const field = FIELD_LINE.exec(line);
    if (field === null) return fault(400, 'Malformed header');
    const value = withoutSpace(field[2]);
    switch (field[1].toLowerCase()) {
      case 'host':
        hosts += 1;
        break;
      case 'content-length':
        if (length !== null || !/^\d{1,15}$/.test(value)) return fault(400, 'One plain Content-Length, please');
        length = Number(value);
        break;
      case 'transfer-encoding':
        if (chunked || value.toLowerCase() !== 'chunked') return fault(501, 'Transfer-Encoding: chunked and no other, please');
        chunked = true;
        break;
      case 'connection': {
        const options = value.toLowerCase().split(',').map(withoutSpace);
        close ||= options.includes('close');
        keepAlive ||= options.includes('keep-alive');
        break;
      }
      case 'expect':
        if (value.toLowerCase() !== '100-continue') return fault(417, 'Unknown expectation');
        expectContinue = true;
        break;
      case 'content-type':
        contentType = flat(value);
        break;
      case 'expect-content':
        expectContent = flat(value);
        break;
      case 'lp-trickle-reset':
        reset = value !== '';
        break;
      case 'lp-trickle-via':
        via = via === null ? flat(value) : `${via}, ${value}`;
        break;
    }
  }
  if (chunked && length !== null) return fault(400, 'Content-Length with Transfer-Encoding');
  return { body: chunked ? 'chunked' : (length ?? 0), close, keepAlive, expectContinue, hosts, contentType, expectContent, reset, via };
}

/** Without spaces and tabs at both ends, and those alone: other white space is part of a value. */
function withoutSpace(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && isSpace(text.charCodeAt(start))) start += 1;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

function fault(status: HeadFault['status'], message: string): HeadFault {
  return { status, message };
}
