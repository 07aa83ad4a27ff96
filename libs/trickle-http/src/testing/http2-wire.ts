import { connect, type TLSSocket } from 'node:tls';

/** How long a test waits for what it expects. */
const DEADLINE_MS = 8000;

/** Frame types of RFC 9113, section 6. */
export const FRAME = { data: 0, headers: 1, rstStream: 3, settings: 4, ping: 6, goaway: 7, windowUpdate: 8, continuation: 9 } as const;

/** Frame flags of RFC 9113, section 6. */
export const FLAG = { endStream: 1, ack: 1, endHeaders: 4 } as const;

const FRAME_HEADER_BYTES = 9;

/** A frame as it came. */
export interface Frame {
  type: number;
  flags: number;
  stream: number;
  payload: Buffer;
}

/**
 * One TLS connection on which a test writes and reads HTTP/2 frames as they stand on the wire: what a well-behaved client never sends, and what
 * Node's own client does not show.
 */
export class Http2Wire {
  readonly frames: Frame[] = [];
  /** Whether the peer has ended the connection. */
  ended = false;
  readonly #socket: TLSSocket;
  #rest: Buffer = Buffer.alloc(0);
  #wake: () => void = () => {};

  private constructor(socket: TLSSocket) {
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => this.#receive(bytes));
    socket.on('error', () => {});
    socket.on('close', () => {
      this.ended = true;
      this.#wake();
    });
  }

  /** Connects to the host of a URL, and sends the preface and settings. */
  static async to(url: string): Promise<Http2Wire> {
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname.replace(/[[\]]/g, ''), port: Number(port), ALPNProtocols: ['h2'], rejectUnauthorized: false });
    await new Promise<void>((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
    const wire = new Http2Wire(socket);
    socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    wire.send({ type: FRAME.settings, flags: 0, stream: 0, payload: Buffer.alloc(0) });
    return wire;
  }

  /** Sends frames in one write. */
  send(...frames: Frame[]): void {
    if (!this.#socket.destroyed) this.#socket.write(Buffer.concat(frames.map(encode)));
  }

  /** Resolves when what was sent has left. */
  async flushed(): Promise<void> {
    await new Promise((resolve) => this.#socket.write('', resolve));
  }

  /** Waits until the condition holds. */
  async until(condition: (wire: Http2Wire) => boolean, what: string): Promise<void> {
    const deadline = performance.now() + DEADLINE_MS;
    while (!condition(this)) {
      const left = deadline - performance.now();
      if (left <= 0) throw new Error(`no ${what} in ${DEADLINE_MS} ms; got ${JSON.stringify(this.frames.slice(-10))}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** Frames of one type that came. */
  of(type: number): Frame[] {
    return this.frames.filter((frame) => frame.type === type);
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(bytes: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    while (this.#rest.length >= FRAME_HEADER_BYTES) {
      const end = FRAME_HEADER_BYTES + this.#rest.readUIntBE(0, 3);
      if (this.#rest.length < end) break;
      this.frames.push({
        type: this.#rest[3],
        flags: this.#rest[4],
        stream: this.#rest.readUInt32BE(5),
        payload: this.#rest.subarray(FRAME_HEADER_BYTES, end),
      });
      this.#rest = this.#rest.subarray(end);
    }
    this.#wake();
  }
}

/** HEADERS of a request. */
export function request(
  stream: number,
  method: string,
  path: string,
  options: { endStream?: boolean; headers?: [string, string][] } = {},
): Frame {
  const fields: [string, string][] = [
    [':method', method],
    [':scheme', 'https'],
    [':authority', 'x'],
    [':path', path],
    ...(options.headers ?? []),
  ];
  const flags = FLAG.endHeaders | (options.endStream === true ? FLAG.endStream : 0);
  return { type: FRAME.headers, flags, stream, payload: Buffer.concat(fields.map(([name, value]) => literal(name, value))) };
}

/** DATA of a request's body. */
export function data(stream: number, text: string, options: { endStream?: boolean } = {}): Frame {
  return { type: FRAME.data, flags: options.endStream === true ? FLAG.endStream : 0, stream, payload: Buffer.from(text) };
}

/** RST_STREAM with an error code. */
export function reset(stream: number, code: number): Frame {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(code);
  return { type: FRAME.rstStream, flags: 0, stream, payload };
}

/** A header field that enters no table (RFC 7541, 6.2.2). */
export function literal(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.of(0), text(name), text(value)]);
}

/** A string literal of HPACK without Huffman coding (RFC 7541, 5.2). */
function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  if (bytes.length < 127) return Buffer.concat([Buffer.of(bytes.length), bytes]);
  const length = [127];
  let left = bytes.length - 127;
  for (; left >= 128; left >>= 7) length.push((left & 127) | 128);
  return Buffer.concat([Buffer.from([...length, left]), bytes]);
}

function encode({ type, flags, stream, payload }: Frame): Buffer {
  const head = Buffer.alloc(FRAME_HEADER_BYTES);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}
