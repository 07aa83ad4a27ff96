import type { IncomingMessage } from 'node:http';
import { RunnelError } from '@runnel/errors';

/** Bytes of a body held for a reader that is behind; beyond them the connection is held back. */
const MAX_HELD_BYTES = 256 * 1024;

/**
 * The body of an answer. Collects from the first byte on, because Node drops what it holds when a connection breaks: a cut
 * segment still gives all that came before the cut.
 */
export class SegmentBody {
  readonly #response: IncomingMessage;
  readonly #chunks: Uint8Array[] = [];
  #heldBytes = 0;
  #wake: (() => void) | null = null;

  constructor(response: IncomingMessage) {
    this.#response = response;
    response.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#heldBytes += chunk.byteLength;
      if (this.#heldBytes > MAX_HELD_BYTES) response.pause();
      this.#wake?.();
    });
    // What an error means is read from `complete` at the close.
    response.on('error', () => {});
    response.on('end', () => this.#wake?.());
    response.on('close', () => this.#wake?.());
  }

  /** The bytes as they come. @throws RunnelError `segment_cut` when the body ends before its end mark. */
  async *read(seq: number): AsyncGenerator<Uint8Array> {
    try {
      while (true) {
        const chunk = this.#chunks.shift();
        if (chunk !== undefined) {
          this.#heldBytes -= chunk.byteLength;
          if (this.#response.isPaused() && this.#heldBytes === 0) this.#response.resume();
          yield chunk;
        } else if (this.#response.readableEnded) return;
        else if (this.#response.closed) {
          throw new RunnelError('segment_cut', { message: `Segment ${seq} was cut before its end.` });
        } else await this.#more();
      }
    } finally {
      // Without effect on a body that was read to its end.
      this.#response.destroy();
    }
  }

  /** Gives the rest up: breaks the connection if the body is not complete. Idempotent. */
  destroy(): void {
    this.#response.destroy();
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = null;
        resolve();
      };
    });
  }
}
