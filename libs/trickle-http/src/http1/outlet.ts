import type { Socket } from 'node:net';
import type { Chunk, Slab } from '@runnel/trickle-core';
import { LAST_CHUNK } from './answers.ts';

/** The sending side of a connection: what the socket has taken and not sent, and the memory that this needs. */
export class Outlet {
  /** The socket keeps more than its high-water mark; it tells when it has sent it. */
  blocked = false;
  readonly #socket: Socket;
  /** Memory of chunks that the socket has taken and not sent. */
  #held: Slab[] | null = null;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Whether everything was sent. */
  get empty(): boolean {
    return this.#socket.writableLength === 0;
  }

  /**
   * Sends bytes that are in a slab, or in memory that stays. Whether the socket is blocked is not what `write` answers: it would call a
   * socket blocked that has sent a large piece at once.
   */
  send(bytes: Uint8Array, slab: Slab | null): void {
    this.settle();
    const goesOn = this.#socket.write(bytes);
    if (this.empty) return;
    if (slab !== null) {
      slab.hold();
      (this.#held ??= []).push(slab);
    }
    if (!goesOn) this.blocked = true;
  }

  /** Sends a chunk as frames; `last`: and the end of the body. */
  sendChunk(chunk: Chunk, last: boolean): void {
    if (!last) this.send(chunk.framed, chunk.slab);
    else if (chunk.hasFinal) this.send(chunk.framedFinal, chunk.slab);
    else {
      this.cork();
      this.send(chunk.framed, chunk.slab);
      this.send(LAST_CHUNK, null);
      this.uncork();
    }
  }

  /** Holds writes back until `uncork`, so that they leave in one call of the kernel. */
  cork(): void {
    this.#socket.cork();
  }

  /** Lets go what `cork` held back. */
  uncork(): void {
    this.#socket.uncork();
    if (this.empty) this.sent();
  }

  /** Looks whether all was sent: a write that ends below the high-water mark tells nobody. */
  settle(): void {
    if (this.#held !== null && this.empty) this.sent();
  }

  /** The socket has sent all that it had, or is gone. */
  sent(): void {
    this.blocked = false;
    if (this.#held === null) return;
    for (const slab of this.#held) slab.release();
    this.#held = null;
  }
}
