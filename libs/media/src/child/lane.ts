import { RunnelError } from '@runnel/errors';
import type { Envelope } from './protocol.ts';

/** Messages that may be under way or wait for their reader, each direction. */
export const LANE_WINDOW_MESSAGES = 64;
/** Calls of `send` that may wait for room; the next is refused. */
const LANE_WAITING_MAX = 1024;

/**
 * One end of an ordered message lane between two processes, bounded on both sides: the sender waits once the window is full of
 * messages that the other side's reader has not taken.
 */
export class Lane {
  readonly #write: (envelope: Envelope) => Promise<void>;
  #credit = LANE_WINDOW_MESSAGES;
  #taken = 0;
  readonly #inbox: unknown[] = [];
  readonly #waiting: { resolve: () => void; reject: (error: unknown) => void }[] = [];
  #wake: (() => void) | null = null;
  #ended: { error: RunnelError | null } | null = null;
  #read: 'never' | 'reading' | 'abandoned' = 'never';
  #discard = false;

  /** `write` puts an envelope on the wire and resolves when the operating system has it. */
  constructor(write: (envelope: Envelope) => Promise<void>) {
    this.#write = write;
  }

  /** Resolves once the message is on its way. @throws RunnelError when the other side is gone, or `internal` when far too many calls wait. */
  async send(body: unknown): Promise<void> {
    if (this.#credit === 0 || this.#waiting.length > 0) {
      if (this.#waiting.length >= LANE_WAITING_MAX)
        throw new RunnelError('internal', { message: 'The message lane is full: its sender does not wait for room.' });
      await new Promise<void>((resolve, reject) => this.#waiting.push({ resolve, reject }));
    } else {
      this.#credit -= 1;
    }
    await this.#write({ type: 'message', body });
  }

  /** Takes what came from the other side. */
  receive(envelope: Extract<Envelope, { type: 'message' | 'ack' }>): void {
    if (envelope.type === 'ack') {
      this.#credit += envelope.count;
      while (this.#credit > 0 && this.#waiting.length > 0) {
        this.#credit -= 1;
        this.#waiting.shift()!.resolve();
      }
      return;
    }
    if (this.#discard) {
      this.#acknowledge();
      return;
    }
    this.#inbox.push(envelope.body);
    this.#wake?.();
  }

  /** No message comes any more: the reader ends after what is there, or throws `error` then. */
  end(error: RunnelError | null): void {
    this.#ended ??= { error };
    this.#wake?.();
  }

  /** Nothing can be sent any more: who waits for room is told. */
  refuse(error: RunnelError): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  /** Throws away what nobody reads, so that the sender can finish. A reader at work is left alone. */
  drainUnread(): void {
    if (this.#read === 'reading') return;
    this.#discard = true;
    for (const _ of this.#inbox.splice(0)) this.#acknowledge();
  }

  /** What the other side sent, in order. Read once. */
  async *messages(): AsyncGenerator<unknown, void> {
    this.#read = 'reading';
    try {
      for (;;) {
        if (this.#inbox.length > 0) {
          const body = this.#inbox.shift();
          this.#acknowledge();
          yield body;
        } else if (this.#ended !== null) {
          if (this.#ended.error !== null) throw this.#ended.error;
          return;
        } else {
          await new Promise<void>((resolve) => (this.#wake = resolve));
          this.#wake = null;
        }
      }
    } finally {
      this.#read = 'abandoned';
      this.drainUnread();
    }
  }

  #acknowledge(): void {
    this.#taken += 1;
    // One ack for several messages; well before the window is empty, so that the sender does not stall.
    if (this.#taken < LANE_WINDOW_MESSAGES / 4) return;
    const count = this.#taken;
    this.#taken = 0;
    // A failed write means that the other side is gone, which its own event reports.
    this.#write({ type: 'ack', count }).catch(() => undefined);
  }
}
