import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RunnelError } from '@runnel/errors';
import { createHub, type Hub, publishChanges, type TrickleLimits } from '@runnel/trickle-core';
import { type ChannelCreation, KeepAwake, type RelayContext } from './context.ts';
import { normalizeBase } from './path.ts';
import { route } from './routes.ts';

/** Settings of a relay. */
export interface RelayOptions {
  /** Path under which the channels stand. Default `/trickle/`. */
  basePath?: string;
  /** Default `off`: only the owner of the relay makes channels. */
  creation?: ChannelCreation;
  /** Keep the channel `_changes`. Default false. */
  changes?: boolean;
  limits?: Partial<TrickleLimits>;
  /** Between two `100 Continue` on a POST that waits for its first byte. Default 10 s. */
  continueIntervalMs?: number;
  /** How long the end of a channel waits for a reader that is behind. Default 1 s. */
  endDrainMs?: number;
  /** Milliseconds since the epoch. Default the system's. */
  clock?: () => number;
}

/** A relay: a hub behind an HTTP server. */
export interface Relay {
  readonly hub: Hub;
  /**
   * Starts to listen; port 0 takes a free one. `url` ends with the base path: a channel's URL is `url + name`.
   * @throws RunnelError `port_in_use`.
   */
  listen(address: { host: string; port: number }): Promise<{ url: string }>;
  /** Ends all channels, then all connections (bounded). Idempotent. */
  close(): Promise<void>;
}

/** How often time is looked at: takeovers, window ages, idle channels, interim answers. */
const TICK_MS = 250;

/** Pending connections that the kernel keeps for us: every segment of a PyTrickle client comes on a new one. */
const BACKLOG = 4096;

/** Above the 60 s that common proxies keep an idle connection, so that they close first. */
const KEEP_ALIVE_MS = 75_000;

/** How long `close` lets answers finish. */
const CLOSE_DEADLINE_MS = 2000;

/** Request line and headers; more is refused with 431. */
const MAX_HEADER_BYTES = 8192;

/** Makes a relay on Node's HTTP server. */
export function createRelay(options: RelayOptions = {}): Relay {
  return new HttpRelay(options);
}

class HttpRelay implements Relay {
  readonly hub: Hub;
  readonly #base: string;
  readonly #context: RelayContext;
  readonly #server: Server;
  readonly #timer: NodeJS.Timeout;
  #closing: Promise<void> | null = null;

  constructor(options: RelayOptions) {
    const clock = options.clock ?? Date.now;
    this.hub = createHub({ clock, limits: options.limits });
    this.#base = normalizeBase(options.basePath ?? '/trickle/');
    this.#context = {
      hub: this.hub,
      creation: options.creation ?? 'off',
      defaultMimeType: 'application/octet-stream',
      endDrainMs: options.endDrainMs ?? 1000,
      keepAwake: new KeepAwake({ intervalMs: options.continueIntervalMs ?? 10_000, clock }),
    };
    if (options.changes === true) publishChanges(this.hub);
    // No request timeout: a segment's body lasts as long as its publisher wants. Headers keep their own.
    this.#server = createServer(
      { requestTimeout: 0, keepAliveTimeout: KEEP_ALIVE_MS, noDelay: true, maxHeaderSize: MAX_HEADER_BYTES },
      (req, res) => route(this.#context, this.#base, req, res),
    );
    this.#timer = setInterval(() => {
      const nowMs = clock();
      this.hub.sweep(nowMs);
      this.#context.keepAwake.tick(nowMs);
    }, TICK_MS);
  }

  async listen({ host, port }: { host: string; port: number }): Promise<{ url: string }> {
    await new Promise<void>((resolve, reject) => {
      const onError = (error: NodeJS.ErrnoException) => {
        const where = `${host}:${port}`;
        const inUse = error.code === 'EADDRINUSE';
        const message = inUse ? `${where} is taken by another program.` : `Cannot listen on ${where}: ${error.message}`;
        reject(new RunnelError(inUse ? 'port_in_use' : 'invalid_config', { message, cause: error }));
      };
      this.#server.once('error', onError);
      this.#server.listen({ host, port, backlog: BACKLOG }, () => {
        this.#server.off('error', onError);
        resolve();
      });
    });
    const address = this.#server.address() as AddressInfo;
    const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
    return { url: `http://${name}:${address.port}${this.#base}` };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    clearInterval(this.#timer);
    this.hub.endAll();
    if (!this.#server.listening) return;
    await new Promise<void>((resolve) => {
      const deadline = setTimeout(() => this.#server.closeAllConnections(), CLOSE_DEADLINE_MS);
      this.#server.close(() => {
        clearTimeout(deadline);
        resolve();
      });
      this.#server.closeIdleConnections();
    });
  }
}
