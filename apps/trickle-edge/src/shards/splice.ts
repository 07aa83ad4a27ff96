import { connect, type Socket } from 'node:net';
import { refuse } from './refuse.ts';

const HTTP_1_0 = /^[^\r\n]* HTTP\/1\.0\r/;

/** Connections on TLS whose bytes go on to the shard that has their channel, decrypted, over an inner socket. */
export class Splices {
  readonly #open = new Set<Socket>();

  /** Connections that are passed on now. */
  get size(): number {
    return this.#open.size;
  }

  /** Passes a connection on, what was read from it first, until one side ends. Deadlines are kept by the shard. */
  splice(outer: Socket, received: Buffer, path: string): void {
    // Such a body ends with the connection. It must not look whole when the shard has cut it, which an inner socket cannot tell: without close_notify.
    const graceful = !HTTP_1_0.test(received.toString('latin1', 0, received.indexOf('\n')));
    const inner = connect(path);
    let connected = false;
    this.#open.add(outer);
    outer.on('error', () => {});
    outer.once('close', () => {
      this.#open.delete(outer);
      inner.destroy();
    });
    inner.once('connect', () => (connected = true));
    inner.on('error', () => {
      if (!connected) refuse(outer);
    });
    inner.once('close', () => {
      if (!connected) return;
      if (graceful) outer.destroySoon();
      else outer.write('', () => outer.destroy());
    });
    inner.write(received);
    outer.pipe(inner);
    inner.pipe(outer, { end: graceful });
  }

  /** Cuts what is open. */
  close(): void {
    for (const outer of this.#open) outer.destroy();
  }
}
