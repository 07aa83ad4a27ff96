const HEAD_END = Buffer.from('\r\n\r\n');
const [LF, CR, SEMICOLON] = Buffer.from('\n\r;');
const MAX_HEAD_BYTES = 16_384;

/** Where a reader stands in a response. */
const STATE = { head: 0, length: 1, size: 2, chunk: 3, chunkEnd: 4, trailer: 5, untilClose: 6 };

/** The number in a header line of a lower-cased head; null when there is none. */
function numberOf(head, name) {
  const at = head.indexOf(`\r\n${name}:`);
  return at === -1 ? null : Number.parseInt(head.slice(at + name.length + 3, head.indexOf('\r\n', at + 2)), 10);
}

/** What the load needs of a response's head. */
function parseHead(text) {
  const head = text.toLowerCase();
  return {
    status: Number(head.slice(9, 12)),
    seq: numberOf(head, 'lp-trickle-seq'),
    latest: numberOf(head, 'lp-trickle-latest'),
    lengthBytes: numberOf(head, 'content-length'),
    chunked: head.includes('\r\ntransfer-encoding: chunked'),
    close: head.includes('\r\nconnection: close'),
  };
}

/**
 * Reads the HTTP/1.1 responses of one connection, without a copy of the body and without an object a chunk.
 * `owner` is told `head(head)`, `body(buffer, start, end)` and `end()`; interim answers are passed over.
 * A response that breaks the syntax of RFC 9112 throws.
 */
export class ResponseReader {
  #owner;
  #state = STATE.head;
  #left = 0;
  #line = 0;
  #extension = false;
  #partial = null;

  constructor(owner) {
    this.#owner = owner;
  }

  /** Takes what a read brought. The buffer may be used again as soon as this returns. */
  read(received) {
    let buffer = received;
    if (this.#partial !== null) {
      buffer = Buffer.concat([this.#partial, received]);
      this.#partial = null;
    }
    let at = 0;
    while (at < buffer.length) at = this.#step(buffer, at);
  }

  #step(buffer, at) {
    switch (this.#state) {
      case STATE.head:
        return this.#head(buffer, at);
      case STATE.size:
        return this.#size(buffer, at);
      case STATE.trailer:
        return this.#trailer(buffer, at);
      case STATE.untilClose:
        this.#owner.body(buffer, at, buffer.length);
        return buffer.length;
    }
    const end = Math.min(buffer.length, at + this.#left);
    this.#left -= end - at;
    if (this.#state !== STATE.chunkEnd) this.#owner.body(buffer, at, end);
    if (this.#left === 0) this.#runEnded();
    return end;
  }

  #runEnded() {
    if (this.#state === STATE.length) this.#end();
    else if (this.#state === STATE.chunk) this.#expect(STATE.chunkEnd, 2);
    else this.#expect(STATE.size, 0);
  }

  #expect(state, left) {
    this.#state = state;
    this.#left = left;
    this.#line = 0;
    this.#extension = false;
  }

  #end() {
    this.#expect(STATE.head, 0);
    this.#owner.end();
  }

  #head(buffer, at) {
    const end = buffer.indexOf(HEAD_END, at);
    if (end === -1) {
      if (buffer.length - at > MAX_HEAD_BYTES) throw new Error('a response head without end');
      this.#partial = Buffer.from(buffer.subarray(at));
      return buffer.length;
    }
    const head = parseHead(buffer.latin1Slice(at, end + 2));
    const next = end + 4;
    if (!(head.status >= 100)) throw new Error('not an HTTP response');
    if (head.status < 200) return next;
    this.#owner.head(head);
    if (head.chunked) this.#expect(STATE.size, 0);
    else if (head.lengthBytes === null) this.#expect(STATE.untilClose, 0);
    else if (head.lengthBytes === 0) this.#end();
    else this.#expect(STATE.length, head.lengthBytes);
    return next;
  }

  #size(buffer, at) {
    for (let here = at; here < buffer.length; here += 1) {
      const byte = buffer[here];
      if (byte === LF) {
        if (this.#line === 0) throw new Error('a chunk without a size');
        if (this.#left > 0) this.#expect(STATE.chunk, this.#left);
        else this.#expect(STATE.trailer, 0);
        return here + 1;
      }
      if (byte === SEMICOLON) this.#extension = true;
      if (byte === CR || this.#extension) continue;
      const digit = Number.parseInt(String.fromCharCode(byte), 16);
      if (Number.isNaN(digit) || this.#line > 8) throw new Error('a chunk size that is no number');
      this.#left = this.#left * 16 + digit;
      this.#line += 1;
    }
    return buffer.length;
  }

  #trailer(buffer, at) {
    for (let here = at; here < buffer.length; here += 1) {
      if (buffer[here] === LF) {
        if (this.#line === 0) {
          this.#end();
          return here + 1;
        }
        this.#line = 0;
      } else if (buffer[here] !== CR) this.#line += 1;
    }
    return buffer.length;
  }
}
