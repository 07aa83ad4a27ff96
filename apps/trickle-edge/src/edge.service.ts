import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { Bus, Subscription } from '@runnel/bus';
import { BUS } from '@runnel/schemas';
import type { Logger } from '@runnel/service';
import type { SessionChannels } from './session-channels.ts';
import { BUS_TOKEN, LOGGER_TOKEN, SESSION_CHANNELS_TOKEN } from './tokens.ts';

/** How often idle sessions are looked for. */
const SWEEP_MS = 5000;

/** Answers the bus: makes, writes and ends the channels of sessions. Channel names are secrets and stay out of the log. */
@Injectable()
export class EdgeService implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #bus: Bus;
  readonly #logger: Logger;
  readonly #channels: SessionChannels;
  #subscriptions: Subscription[] = [];
  #timer: NodeJS.Timeout | undefined;
  #sweeping: Promise<void> | null = null;

  constructor(
    @Inject(BUS_TOKEN) bus: Bus,
    @Inject(LOGGER_TOKEN) logger: Logger,
    @Inject(SESSION_CHANNELS_TOKEN) channels: SessionChannels,
  ) {
    this.#bus = bus;
    this.#logger = logger;
    this.#channels = channels;
  }

  async onApplicationBootstrap(): Promise<void> {
    this.#subscriptions = await Promise.all([
      this.#bus.respond(BUS.edgeCreate, {}, async ({ sessionId }) => {
        const urls = await this.#channels.create(sessionId);
        this.#logger.info({ sessionId }, 'session channels made');
        return { urls };
      }),
      this.#bus.respond(BUS.edgeControl, {}, async ({ sessionId, body }) => ({ seq: await this.#channels.control(sessionId, body) })),
      this.#bus.respond(BUS.edgeClose, {}, async ({ sessionId }) => {
        const closed = await this.#channels.close(sessionId);
        this.#logger.info({ sessionId, closed }, 'session channels ended');
        return { closed };
      }),
    ]);
    this.#timer = setInterval(() => {
      this.#sweeping ??= this.#sweep().finally(() => (this.#sweeping = null));
    }, SWEEP_MS);
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all([this.#sweeping, ...this.#subscriptions.map((subscription) => subscription.close())]);
  }

  async #sweep(): Promise<void> {
    try {
      for (const { sessionId, reason } of await this.#channels.sweep(Date.now()))
        this.#logger.warn({ sessionId, reason }, 'session channels swept');
    } catch (err) {
      this.#logger.warn({ err }, 'idle sessions cannot be looked for now');
    }
  }
}
