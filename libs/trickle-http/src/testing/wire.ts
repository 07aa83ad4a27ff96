import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** How long a test waits for what it expects. */
const DEADLINE_MS = 8000;

/** One TCP or TLS connection on which a test writes and reads HTTP as it stands on the wire. */
export class Wire {
  /** All that came, as Latin-1. */
  text = '';
  /** How the peer has ended the connection; null while it is open. */
  ended: 'end' | 'reset' | null = null;
  readonly #socket: Socket;
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true).setEncoding('latin1');
    socket.on('data', (data: string) => this.#change(() => (this.text += data)));
    socket.on('end', () => this.#change(() => (this.ended ??= 'end')));
    socket.on('error', () => this.#change(() => (this.ended ??= 'reset')));
  }

  /** Connects to the host of a URL; by https without a look at the certificate and without ALPN. */
  static async to(url: string): Promise<Wire> {
    const { protocol, hostname, port } = new URL(url);
    const address = { host: hostname.replace(/[[\]]/g, ''), port: Number(port), allowHalfOpen: true };
    const secure = protocol === 'https:';
    const socket = secure ? connectTls({ ...address, rejectUnauthorized: false }) : connect(address);
    return Wire.on(socket, secure ? 'secureConnect' : 'connect');
  }

  /** Takes over a socket that has just been told to connect. */
  static async on(socket: Socket, connected: 'connect' | 'secureConnect' = 'connect'): Promise<Wire> {
    const wire = new Wire(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once(connected, resolve);
      socket.once('error', reject);
    });
    return wire;
  }

  send(text: string): void {
    this.#socket.write(text, 'latin1');
  }

  /** Sends a request without a body. */
  request(method: string, path: string, headers = ''): void {
    this.send(`${method} ${path} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`);
  }

  /** Sends the head of a POST with a chunked body, as a publisher that preconnects does. */
  post(path: string, headers = ''): void {
    this.request('POST', path, `Content-Type: video/MP2T\r\nTransfer-Encoding: chunked\r\n${headers}`);
  }

  chunk(body: string): void {
    this.send(`${body.length.toString(16)}\r\n${body}\r\n`);
  }

  endBody(): void {
    this.send('0\r\n\r\n');
  }

  /** Waits until the condition holds, and returns all that came. */
  async until(condition: (wire: Wire) => boolean, what: string): Promise<string> {
    const deadline = performance.now() + DEADLINE_MS;
    while (!condition(this)) {
      const left = deadline - performance.now();
      if (left <= 0) throw new Error(`no ${what} in ${DEADLINE_MS} ms; got ${JSON.stringify(this.text)} ${this.ended ?? ''}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return this.text;
  }

  /** Waits for a piece of text. */
  has(text: string): Promise<string> {
    return this.until((wire) => wire.text.includes(text), JSON.stringify(text));
  }

  /** Waits for a whole answer (chunked or with a length) and takes it off. */
  async answer(): Promise<{ status: number; headers: Record<string, string>; body: string }> {
    await this.until((wire) => wire.#whole() !== null, 'whole answer');
    const { head, body, length } = this.#whole()!;
    this.text = this.text.slice(length);
    const [statusLine, ...lines] = head.split('\r\n');
    const headers = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]),
    );
    return { status: Number(statusLine.split(' ')[1]), headers, body };
  }

  /** Waits until the peer has ended the connection. */
  async gone(): Promise<'end' | 'reset'> {
    await this.until((wire) => wire.ended !== null, 'end of the connection');
    return this.ended!;
  }

  /** Ends its side in good order, and goes on to read. */
  finish(): void {
    this.#socket.end();
  }

  /** Ends the connection in the middle, as a process that dies. */
  kill(): void {
    this.#socket.resetAndDestroy();
  }

  close(): void {
    this.#socket.destroy();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  #change(change: () => void): void {
    change();
    this.#wake();
  }

  #whole(): { head: string; body: string; length: number } | null {
    const headEnd = this.text.indexOf('\r\n\r\n');
    if (headEnd === -1) return null;
    const head = this.text.slice(0, headEnd);
    const rest = this.text.slice(headEnd + 4);
    if (!/transfer-encoding: chunked/i.test(head)) {
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
      return rest.length < length ? null : { head, body: rest.slice(0, length), length: headEnd + 4 + length };
    }
    let body = '';
    for (let at = 0; ;) {
      const lineEnd = rest.indexOf('\r\n', at);
      if (lineEnd === -1) return null;
      const size = Number.parseInt(rest.slice(at, lineEnd), 16);
      if (rest.length < lineEnd + 2 + size + 2) return null;
      if (size === 0) return { head, body, length: headEnd + 4 + lineEnd + 4 };
      body += rest.slice(lineEnd + 2, lineEnd + 2 + size);
      at = lineEnd + 2 + size + 2;
    }
  }
}
