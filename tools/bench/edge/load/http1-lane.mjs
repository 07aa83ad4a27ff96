import { connect } from 'node:net';
import { ResponseReader } from './response-reader.mjs';

/** All connections read into this one: a read is handled whole before the next one begins. */
const READ_BUFFER = Buffer.allocUnsafeSlow(256 * 1024);

/** Between two attempts of a connection that does not come about. */
const RETRY_MS = 50;

/**
 * One keep-alive HTTP/1.1 connection that has one exchange at a time, as the clients of a trickle server use it. It is opened again when it breaks.
 * `owner` is told `head(lane, head)`, `body(lane, buffer, start, end)`, `end(lane)` and, when the connection breaks within an exchange,
 * `broken(lane)`; after `end` and `broken` the lane is idle.
 */
export class Lane {
  /** No exchange is under way. */
  idle = true;
  /** The number of the segment of the exchange under way; whoever uses the lane sets it. */
  seq = -1;
  /** The owner's place in the body of the exchange under way. */
  position = 0;
  #target;
  #owner;
  #totals;
  #socket = null;
  #reader = null;
  #closeAfter = false;
  #stopped = false;
  #ready = null;

  /** `target`: `{ host, port }`; `totals.errors` counts what broke and should not have. */
  constructor({ target, owner, totals }) {
    this.#target = target;
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
    const { host, port } = this.#target;
    const socket = connect({ host, port, noDelay: true, onread: { buffer: READ_BUFFER, callback: (bytes) => this.#read(reader, bytes) } });
    socket.on('connect', () => this.#ready?.());
    // The close that follows says the same.
    socket.on('error', () => {});
    socket.on('close', () => this.#closed(socket));
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

  #closed(socket) {
    if (socket !== this.#socket || this.#stopped) return;
    const wasBusy = !this.idle;
    this.idle = true;
    this.#closeAfter = false;
    const again = () => {
      if (this.#stopped) return;
      this.#connect();
      if (wasBusy) this.#owner.broken(this);
    };
    if (socket.bytesRead > 0) return again();
    this.#totals.errors += 1;
    setTimeout(again, RETRY_MS);
  }

  /** Sends a request's head (or a whole request without a body): the exchange begins. */
  request(head) {
    this.idle = false;
    this.position = 0;
    this.#socket.write(head, 'latin1');
  }

  /** Sends a piece of the request's body. The buffer may be used again when the answer has come. */
  write(buffer) {
    this.#socket.write(buffer);
  }

  /** Ends the connection for good. */
  stop() {
    this.#stopped = true;
    this.#socket?.destroy();
  }
}
