import { createLanes, framesOf } from './lanes.mjs';

/**
 * Publishes one channel as the clients do: over two connections in turn, the POST of n + 1 opened when the first byte of n is sent.
 * A write that is due while the server has not yet answered the POST before last waits, and its waiting counts as delay.
 */
export class Publisher {
  #lanes;
  #frames;
  #payload;
  #stamps;
  #totals;
  #sent = 0;
  #due = 0;
  /** Newest segment with a first byte. */
  #begun = -1;
  #created = null;

  /** `paths`: `{ manage, publish }` of the channel; `stamps` takes the times of the writes. */
  constructor({ target, paths, payload, stamps, totals }) {
    this.#payload = payload;
    this.#stamps = stamps;
    this.#totals = totals;
    this.#lanes = createLanes({ count: 2, target, paths, owner: this, totals });
    this.#frames = this.#lanes.map(() => framesOf(payload));
  }

  /** Connects, creates the channel, and opens the POST of its first segment. */
  async open() {
    await Promise.all(this.#lanes.map((lane) => lane.open()));
    await new Promise((resolve) => {
      this.#created = resolve;
      this.#lanes[0].begin('create');
    });
    this.#post(0);
  }

  /** The next write is due now (`nowMs` of the generator's clock). */
  due(nowMs) {
    const { writes } = this.#payload;
    const seq = Math.floor(this.#due / writes);
    const write = this.#due % writes;
    if (write === 0) this.#stamps.begin(seq, nowMs);
    if (write === writes - 1) this.#stamps.finish(seq, nowMs);
    this.#due += 1;
    this.#pump();
  }

  #lane(seq) {
    return this.#lanes[seq & 1];
  }

  #post(seq) {
    const lane = this.#lane(seq);
    lane.seq = seq;
    lane.begin('post', seq);
  }

  #pump() {
    const { writes } = this.#payload;
    while (this.#sent < this.#due) {
      const seq = Math.floor(this.#sent / writes);
      const write = this.#sent % writes;
      const lane = this.#lane(seq);
      if (lane.seq !== seq) {
        if (!lane.idle) return;
        this.#post(seq);
      } else if (lane.idle) {
        // It broke or was answered before its end: what is left of the segment has no place.
        if (write === 0) this.#post(seq);
        else {
          this.#sent = (seq + 1) * writes;
          continue;
        }
      }
      const frame = this.#frames[seq & 1][write];
      this.#payload.fill(frame, frame.payloadAt, seq, write);
      lane.write(frame);
      this.#sent += 1;
      if (write > 0) continue;
      this.#begun = seq;
      this.#preconnect();
    }
  }

  #preconnect() {
    const seq = this.#begun + 1;
    const lane = this.#lane(seq);
    if (lane.idle && lane.seq < seq) this.#post(seq);
  }

  head(lane, { status }) {
    if (status !== 200) this.#totals.refused(status);
  }

  body() {}

  end() {
    if (this.#created !== null) {
      this.#created();
      this.#created = null;
      return;
    }
    this.#preconnect();
    this.#pump();
  }

  broken(lane) {
    this.#totals.errors += 1;
    if (this.#created !== null) lane.begin('create');
    else this.#pump();
  }

  stop() {
    for (const lane of this.#lanes) lane.stop();
  }
}
