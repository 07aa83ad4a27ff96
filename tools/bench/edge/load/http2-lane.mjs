import { connect } from 'node:http2';

/** Room for what a server may send ahead: more than a segment of any scenario, so that flow control is not what is measured. */
const WINDOW_BYTES = 8 * 1024 * 1024;

/** Between two attempts of a connection that does not come about. */
const RETRY_MS = 50;

/** One HTTP/2 connection over TLS, opened again when it breaks. */
export class Http2Session {
  #target;
  #totals;
  #session = null;
  #opened = null;
  #stopped = false;

  constructor({ target, totals }) {
    this.#target = target;
    this.#totals = totals;
  }

  /** Resolves when the connection stands. */
  open() {
    this.#opened ??= new Promise((resolve) => {
      this.#connect(resolve);
    });
    return this.#opened;
  }

  #connect(onConnect) {
    const { host, port } = this.#target;
    const session = connect(`https://${host}:${port}`, { rejectUnauthorized: false, settings: { initialWindowSize: WINDOW_BYTES } });
    session.once('connect', () => {
      session.setLocalWindowSize(WINDOW_BYTES);
      onConnect();
    });
    // The close that follows says the same.
    session.on('error', () => {});
    session.on('close', () => {
      if (this.#stopped || session !== this.#session) return;
      this.#totals.errors += 1;
      setTimeout(() => {
        if (!this.#stopped) this.#connect(onConnect);
      }, RETRY_MS);
    });
    this.#session = session;
  }

  /** A new stream; null while there is no connection. */
  request(headers, options) {
    try {
      return this.#session.request(headers, options);
    } catch {
      return null;
    }
  }

  stop() {
    this.#stopped = true;
    this.#session?.destroy();
  }
}

const number = (value) => (value === undefined ? null : Number(value));

/** One exchange at a time on a shared HTTP/2 connection: see `createLanes`. */
export class Http2Lane {
  idle = true;
  seq = -1;
  position = 0;
  #session;
  #paths;
  #owner;
  #stream = null;
  #stopped = false;

  constructor({ session, paths, owner }) {
    this.#session = session;
    this.#paths = paths;
    this.#owner = owner;
  }

  open() {
    return this.#session.open();
  }

  #headers(kind, seq) {
    const { manage, publish, subscribe } = this.#paths;
    switch (kind) {
      case 'create':
        return { ':method': 'POST', ':path': manage, 'expect-content': 'video/mp2t' };
      case 'remove':
        return { ':method': 'DELETE', ':path': manage };
      case 'post':
        return { ':method': 'POST', ':path': `${publish}/${seq}`, 'content-type': 'video/mp2t' };
      default:
        return { ':method': 'GET', ':path': `${subscribe}/${seq}` };
    }
  }

  begin(kind, seq) {
    this.idle = false;
    this.position = 0;
    const stream = this.#session.request(this.#headers(kind, seq), { endStream: kind !== 'post' });
    this.#stream = stream;
    if (stream === null) {
      setTimeout(() => this.#over(false), RETRY_MS);
      return;
    }
    let whole = false;
    stream.on('response', (headers) => {
      const status = headers[':status'];
      this.#owner.head(this, { status, seq: number(headers['lp-trickle-seq']), latest: number(headers['lp-trickle-latest']) });
    });
    stream.on('data', (bytes) => this.#owner.body(this, bytes, 0, bytes.length));
    // An answer may come before the end of a request's body; the exchange is over then.
    stream.on('end', () => {
      whole = stream.rstCode === 0;
      if (whole && stream === this.#stream) this.#over(true);
    });
    stream.on('error', () => {});
    stream.on('close', () => {
      if (!whole && stream === this.#stream) this.#over(false);
    });
  }

  #over(whole) {
    if (this.#stopped) return;
    this.#stream = null;
    this.idle = true;
    if (whole) this.#owner.end(this);
    else this.#owner.broken(this);
  }

  write(frame) {
    if (this.#stream === null) return;
    const bytes = frame.subarray(frame.payloadAt, frame.payloadEnd);
    if (frame.last) this.#stream.end(bytes);
    else this.#stream.write(bytes);
  }

  stop() {
    this.#stopped = true;
    this.#session.stop();
  }
}
