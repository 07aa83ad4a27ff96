import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { requests } from './requests.mjs';
import { ResponseReader } from './response-reader.mjs';

/** All connections read into this one: a read is handled whole before the next one begins. */
const READ_BUFFER = Buffer.allocUnsafeSlow(256 * 1024);

/** Between two attempts of a connection that does not come about. */
const RETRY_MS = 50;

/** One keep-alive HTTP/1.1 connection, opened again when it breaks: see `createLanes`. */
export class Http1Lane {
  /** No exchange is under way. */
  idle = true;
  /** The number of the segment of the exchange under way; whoever uses the lane sets it. */
  seq = -1;
  /** The owner's place in the body of the exchange under way. */
  position = 0;
  #target;
  #requests;
  #owner;
  #totals;
  #socket = null;
  #reader = null;
  #closeAfter = false;
  #stopped = false;
  #ready = null;

  /** `target`: `{ protocol, host, port }`; `totals.errors` counts what broke and should not have. */
  constructor({ target, paths, owner, totals }) {
    this.#target = target;
    this.#requests = requests({ target, paths });
    this.#owner = owner;
    this.#totals = totals;
  }

  /** Resolves when the connection stands. */
  open() {
    return new Promise((resolve) => {
      this.#ready = resolve;
      this.#connect();
    });
  }

  #connect() {
    const reader = new ResponseReader({
      head: (head) => {
        this.#closeAfter = head.close;
        this.#owner.head(this, head);
      },
      body: (buffer, start, end) => this.#owner.body(this, buffer, start, end),
      end: () => this.#ended(),
    });
    const { protocol, host, port } = this.#target;
    const secure = protocol === 'https1';
    const onread = { buffer: READ_BUFFER, callback: (bytes) => this.#read(reader, bytes) };
    const options = { host, port, noDelay: true, onread };
    const socket = secure ? connectTls({ ...options, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] }) : connect(options);
    let stood = false;
    socket.on(secure ? 'secureConnect' : 'connect', () => {
      stood = true;
      this.#ready?.();
    });
    // The close that follows says the same.
    socket.on('error', () => {});
    socket.on('close', () => this.#closed({ socket, stood }));
    this.#reader = reader;
    this.#socket = socket;
  }

  #read(reader, bytes) {
    if (reader !== this.#reader || this.#stopped) return true;
    try {
      reader.read(READ_BUFFER.subarray(0, bytes));
    } catch {
      this.#totals.errors += 1;
      this.#socket.destroy();
    }
    return true;
  }

  #ended() {
    if (this.#closeAfter) {
      // Whoever keeps using it would race with the server's close.
      this.#closeAfter = false;
      const old = this.#socket;
      this.#connect();
      old.destroy();
    }
    this.idle = true;
    this.#owner.end(this);
  }

  #closed({ socket, stood }) {
    if (socket !== this.#socket || this.#stopped) return;
    const wasBusy = !this.idle;
    this.idle = true;
    this.#closeAfter = false;
    const again = () => {
      if (this.#stopped) return;
      this.#connect();
      if (wasBusy) this.#owner.broken(this);
    };
    // A server may end a connection on which nothing happens.
    if (stood) return again();
    this.#totals.errors += 1;
    setTimeout(again, RETRY_MS);
  }

  /** Sends a request's head (or a whole request without a body): the exchange begins. */
  begin(kind, seq) {
    this.idle = false;
    this.position = 0;
    this.#socket.write(this.#requests[kind](seq), 'latin1');
  }

  /** Sends a write of the body. Its buffer may be used again when the answer has come. */
  write(frame) {
    this.#socket.write(frame);
  }

  /** Ends the connection for good. */
  stop() {
    this.#stopped = true;
    this.#socket?.destroy();
  }
}
