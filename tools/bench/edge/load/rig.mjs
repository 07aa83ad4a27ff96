import { Clock } from './clock.mjs';
import { createLanes } from './lanes.mjs';
import { Payload } from './payload.mjs';
import { Publisher } from './publisher.mjs';
import { Record } from './record.mjs';
import { Stamps } from './stamps.mjs';
import { Subscriber } from './subscriber.mjs';
import { Totals } from './totals.mjs';

/** Connections that are opened at a time. */
const WAVE = 100;

/** Publishers and subscribers of a load, with their connections and one clock. `plan` as in `scenarios.mjs`, with the server's `target` and `paths`. */
export class Rig {
  clock = new Clock();
  record = new Record();
  totals = new Totals();
  #plan;
  #publishers;
  #subscribers;
  #nextSeq = 0;

  constructor(plan) {
    this.#plan = plan;
    const { target, writes, writeBytes, readers, run, readerConnections } = plan;
    const channels = plan.paths.map((paths, channel) => ({
      target,
      paths,
      payload: new Payload({ run, channel, writeBytes, writes }),
      stamps: new Stamps(),
      record: this.record,
      totals: this.totals,
      connections: readerConnections,
    }));
    this.#publishers = channels.map((channel) => new Publisher(channel));
    this.#subscribers = channels.flatMap((channel) => Array.from({ length: readers }, () => new Subscriber(channel)));
  }

  /** Opens all connections, creates the channels, and lets the readers wait. */
  async open() {
    await this.openPublishers();
    await this.openSubscribers();
  }

  /** Creates the channels, each with the POST of its first segment open. */
  openPublishers() {
    return this.#inWaves(this.#publishers);
  }

  /** Lets the readers wait. */
  openSubscribers() {
    return this.#inWaves(this.#subscribers);
  }

  async #inWaves(ends) {
    for (let at = 0; at < ends.length; at += WAVE) await Promise.all(ends.slice(at, at + WAVE).map((end) => end.open()));
  }

  /**
   * Publishes `segments` segments on every channel, `perSecond` on each, spread evenly over time and channels. Resolves when the last write is out, with the
   * stage that counts what arrives.
   */
  async publish({ segments, perSecond, running }) {
    const { writes, readers } = this.#plan;
    const publishers = this.#publishers;
    const from = this.#nextSeq;
    this.#nextSeq += segments;
    const stage = this.record.stage({ from, to: this.#nextSeq, expected: segments * publishers.length * readers });
    await this.clock.run({
      count: segments * writes * publishers.length,
      perSecond: perSecond * writes * publishers.length,
      due: (n) => publishers[n % publishers.length].due(performance.now()),
      running,
    });
    return stage;
  }

  /** Ends all connections and then, so that a server that stays has nothing left of it, the channels. */
  async close() {
    for (const end of [...this.#publishers, ...this.#subscribers]) end.stop();
    if (this.#plan.stays) await removeChannels(this.#plan);
  }
}

/** Until a server that does not end them is left as it is. */
const REMOVE_DEADLINE_MS = 3000;

/** Ends the channels of a plan, one after the other; whatever the server says to that. */
async function removeChannels({ target, paths }) {
  const untilMs = performance.now() + REMOVE_DEADLINE_MS;
  for (const channel of paths) {
    const leftMs = untilMs - performance.now();
    if (leftMs > 0) await removeChannel({ target, channel, leftMs });
  }
}

async function removeChannel({ target, channel, leftMs }) {
  let lane;
  await new Promise((resolve) => {
    const owner = { head() {}, body() {}, end: resolve, broken: resolve };
    [lane] = createLanes({ count: 1, target, paths: channel, owner, totals: new Totals() });
    setTimeout(resolve, leftMs);
    lane.open().then(() => lane.begin('remove'), resolve);
  });
  lane.stop();
}
