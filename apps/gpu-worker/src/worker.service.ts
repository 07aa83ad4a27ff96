import { randomBytes } from 'node:crypto';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { Bus, Subscription } from '@runnel/bus';
import { BUS } from '@runnel/schemas';
import type { Logger } from '@runnel/service';
import { describeProcessor, type SessionEnd } from '@runnel/worker';
import { Announcer } from './announcer.ts';
import type { GpuWorkerConfig } from './config.ts';
import { loadProcessors, processorModules } from './processors.ts';
import { WorkerSessions } from './sessions.ts';
import { BUS_TOKEN, CONFIG_TOKEN, LOGGER_TOKEN } from './tokens.ts';

/** The worker on the bus: announces itself, starts and stops sessions, tells when they end. */
@Injectable()
export class WorkerService implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #bus: Bus;
  readonly #logger: Logger;
  readonly #config: GpuWorkerConfig;
  readonly #workerId: string;
  readonly #subscriptions: Subscription[] = [];
  #announcer: Announcer | null = null;
  #sessions: WorkerSessions | null = null;

  constructor(@Inject(BUS_TOKEN) bus: Bus, @Inject(LOGGER_TOKEN) logger: Logger, @Inject(CONFIG_TOKEN) config: GpuWorkerConfig) {
    this.#workerId = config.WORKER_ID ?? `worker-${randomBytes(4).toString('hex')}`;
    this.#bus = bus;
    this.#logger = logger.child({ workerId: this.#workerId });
    this.#config = config;
  }

  /** @throws RunnelError `invalid_config` when a module of WORKER_PROCESSORS cannot be used. */
  async onApplicationBootstrap(): Promise<void> {
    const vars = { workerId: this.#workerId };
    const modules = processorModules(this.#config.WORKER_PROCESSORS);
    const processors = await loadProcessors(modules);
    const sessions = new WorkerSessions({
      config: this.#config,
      logger: this.#logger,
      processors,
      modules,
      onEnded: (sessionId, end) => this.#ended(sessionId, end),
    });
    const announcer = new Announcer({
      bus: this.#bus,
      logger: this.#logger,
      workerId: this.#workerId,
      slotsTotal: this.#config.WORKER_SLOTS,
      slotsFree: () => sessions.free,
      processors: [...processors.values()].map(describeProcessor),
    });
    this.#sessions = sessions;
    this.#announcer = announcer;
    this.#subscriptions.push(
      await this.#bus.respond(BUS.workerStart, vars, async (request) => {
        const [started] = await Promise.allSettled([sessions.start(request), announcer.announce()]);
        if (started.status === 'rejected') {
          // The slot is free again, and the broker should know before it tries another worker.
          await announcer.announce();
          throw started.reason;
        }
        return { accepted: true as const };
      }),
      await this.#bus.respond(BUS.workerStop, vars, async ({ sessionId, reason }) => ({ stopped: await sessions.stop(sessionId, reason) })),
    );
    await announcer.start();
    this.#logger.info({ slots: this.#config.WORKER_SLOTS, processors: [...processors.keys()] }, 'worker ready');
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#announcer?.close();
    await this.#sessions?.close();
    await Promise.all(this.#subscriptions.map((subscription) => subscription.close()));
  }

  async #ended(sessionId: string, { reason, detail }: SessionEnd): Promise<void> {
    try {
      await this.#bus.publish(BUS.workerSessionEnded, { workerId: this.#workerId }, { sessionId, reason, detail });
    } catch (err) {
      this.#logger.warn({ err, sessionId }, 'the end of a session could not be told');
    }
    await this.#announcer?.announce();
  }
}
