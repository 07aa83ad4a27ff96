import { type ClientHttp2Session, type ClientHttp2Stream, connect, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http2';
import { eventually } from './bench.ts';

/** One request of Node's own HTTP/2 client, and all that came back. */
export class Http2Call {
  readonly #stream: ClientHttp2Stream;
  /** Null while there are none. */
  headers: IncomingHttpHeaders | null = null;
  /** Statuses of interim answers. */
  readonly interim: number[] = [];
  body = '';
  /** Whether the answer came to its end by END_STREAM. */
  whole = false;
  closed = false;

  constructor(stream: ClientHttp2Stream) {
    this.#stream = stream;
    stream.setEncoding('latin1');
    stream.on('response', (headers) => (this.headers = headers));
    stream.on('headers', (headers) => this.interim.push(Number(headers[':status'])));
    stream.on('data', (text: string) => (this.body += text));
    stream.on('error', () => {});
    // Node emits `end` for a reset, too: then the stream is closed already.
    stream.on('end', () => (this.whole = !stream.aborted));
    stream.on('close', () => (this.closed = true));
  }

  get status(): number | undefined {
    return this.headers === null ? undefined : Number(this.headers[':status']);
  }

  /** Code of the RST_STREAM that ended it; 0 without one. */
  get resetCode(): number {
    return this.#stream.rstCode ?? 0;
  }

  /** Sends a piece of the body. */
  write(bytes: string | Uint8Array): this {
    // Never strings: a row of them that ends with an empty one leaves Node 24's client as another body.
    this.#stream.write(Buffer.from(bytes));
    return this;
  }

  /** Ends the body, with a last piece or without. */
  end(bytes?: string | Uint8Array): this {
    if (bytes === undefined) this.#stream.end();
    else this.#stream.end(Buffer.from(bytes));
    return this;
  }

  /** Gives up. */
  reset(code: number): void {
    this.#stream.close(code);
  }

  /** Waits for the end of the stream. */
  async done(): Promise<this> {
    await eventually(() => this.closed);
    return this;
  }
}

/** One HTTP/2 connection of Node's own client. */
export class Http2Client {
  readonly session: ClientHttp2Session;
  readonly #base: string;

  constructor(url: string, options: { ca: string }) {
    this.#base = new URL(url).pathname;
    this.session = connect(url, { ca: options.ca });
    this.session.on('error', () => {});
  }

  /** Begins a request without a body. A path is relative to the base, or begins with a slash. */
  ask(method: string, path: string, headers: OutgoingHttpHeaders = {}): Http2Call {
    return new Http2Call(
      this.session.request(
        { ':method': method, ':path': path.startsWith('/') ? path : this.#base + path, ...headers },
        { endStream: true },
      ),
    );
  }

  /** Begins a POST whose body is still to come. */
  post(path: string, headers: OutgoingHttpHeaders = {}): Http2Call {
    return new Http2Call(this.session.request({ ':method': 'POST', ':path': this.#base + path, ...headers }));
  }

  /** Publishes one whole segment. */
  async put(path: string, body: string): Promise<Http2Call> {
    return this.post(path).end(body).done();
  }

  close(): void {
    this.session.destroy();
  }
}
