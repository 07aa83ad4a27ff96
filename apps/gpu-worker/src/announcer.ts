import type { Bus, Subscription } from '@runnel/bus';
import { BUS, type OfferedProcessor } from '@runnel/schemas';
import type { Logger } from '@runnel/service';

/** Time between two announcements. */
const ANNOUNCE_INTERVAL_MS = 2_000;

/** What a worker tells of itself. `slotsFree` is asked anew at each announcement. */
export interface AnnouncerOptions {
  bus: Bus;
  logger: Logger;
  workerId: string;
  slotsTotal: number;
  slotsFree: () => number;
  processors: OfferedProcessor[];
}

/** Tells the bus what this worker offers: at once, every two seconds, when asked, and when its slots change. */
export class Announcer {
  readonly #options: AnnouncerOptions;
  #timer: NodeJS.Timeout | null = null;
  #asked: Subscription | null = null;
  #told: Promise<void> = Promise.resolve();

  constructor(options: AnnouncerOptions) {
    this.#options = options;
  }

  /** Begins; resolves when the first announcement is out. */
  async start(): Promise<void> {
    this.#asked = await this.#options.bus.subscribe(BUS.workerDiscover, {}, () => this.announce());
    this.#timer = setInterval(() => {
      this.#told = this.announce();
    }, ANNOUNCE_INTERVAL_MS);
    await this.announce();
  }

  /** Announces now. A bus that is away is no reason to end anything: the next announcement will do. */
  async announce(): Promise<void> {
    const { bus, logger, workerId, slotsTotal, slotsFree, processors } = this.#options;
    try {
      await bus.publish(BUS.workerAnnounce, {}, { workerId, slotsTotal, slotsFree: slotsFree(), processors });
    } catch (err) {
      logger.warn({ err }, 'announcement failed');
    }
  }

  /** Says no more. Idempotent. */
  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#told;
    await this.#asked?.close();
  }
}
