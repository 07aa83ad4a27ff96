import type { ServerResponse } from 'node:http';
import type { Hub } from '@runnel/trickle-core';

/** Who may make channels over HTTP: nobody; whoever asks (`POST {base}{channel}`); also whoever publishes to a new name. */
export type ChannelCreation = 'off' | 'explicit' | 'auto';

/** What the handlers of one relay share. */
export interface RelayContext {
  readonly hub: Hub;
  readonly creation: ChannelCreation;
  /** MIME type of a channel whose maker names none. */
  readonly defaultMimeType: string;
  /** How long the end of a channel waits for a reader that is behind. */
  readonly endDrainMs: number;
  /** POSTs that wait for their first byte and are told 100 Continue from time to time. */
  readonly keepAwake: KeepAwake;
}

/** Sends interim answers on POSTs that wait, so that neither client nor middlebox takes them for dead (RFC 9110, 15.2.1). */
export class KeepAwake {
  readonly #intervalMs: number;
  readonly #clock: () => number;
  readonly #waiting = new Map<ServerResponse, number>();

  constructor(options: { intervalMs: number; clock: () => number }) {
    this.#intervalMs = options.intervalMs;
    this.#clock = options.clock;
  }

  /** A POST waits from now on; its first interim answer is due one interval later. */
  add(res: ServerResponse): void {
    this.#waiting.set(res, this.#clock() + this.#intervalMs);
  }

  /** It waits no more: bytes came or it ended. Must follow every `add`, or the response is held for ever. */
  delete(res: ServerResponse): void {
    this.#waiting.delete(res);
  }

  /** Sends what is due. */
  tick(nowMs: number): void {
    for (const [res, dueMs] of this.#waiting) {
      if (nowMs < dueMs) continue;
      this.#waiting.set(res, nowMs + this.#intervalMs);
      // HTTP/1.0 knows no interim answers.
      if (res.req.httpVersionMinor > 0 && !res.headersSent) res.writeContinue();
    }
  }
}
