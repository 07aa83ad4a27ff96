import { createLanes } from './lanes.mjs';

/** Before a request is made again that was refused. */
const RETRY_MS = 20;

/**
 * Reads one channel as the clients do: the GET of n + 1 is opened on the other connection when the head of n is in. Every byte is compared.
 * `record.delivered(seq, firstByteMs, lastByteMs)` is told of each whole segment.
 */
export class Subscriber {
  #lanes;
  #payload;
  #stamps;
  #record;
  #totals;
  #wanted = null;
  #newest = -1;
  #stopped = false;

  /** With one connection of two it does not preconnect. */
  constructor({ target, paths, payload, stamps, record, totals, connections = 2 }) {
    this.#payload = payload;
    this.#stamps = stamps;
    this.#record = record;
    this.#totals = totals;
    this.#lanes = createLanes({ count: connections, target, paths, owner: this, totals });
  }

  /** Connects and waits for the channel's first segment. */
  async open() {
    await Promise.all(this.#lanes.map((lane) => lane.open()));
    this.#get(this.#lanes[0], 0);
  }

  #get(lane, seq) {
    lane.seq = seq;
    lane.intact = true;
    lane.firstByteMs = 0;
    lane.lastByteMs = 0;
    lane.begin('get', seq);
  }

  head(lane, { status, seq, latest }) {
    lane.status = status;
    lane.latest = latest;
    if (status !== 200) return;
    if (seq !== lane.seq) lane.intact = false;
    const other = this.#lanes[lane === this.#lanes[0] ? 1 : 0];
    if (other?.idle) this.#get(other, lane.seq + 1);
    else this.#wanted = lane.seq + 1;
  }

  body(lane, buffer, start, end) {
    if (lane.status !== 200) return;
    const nowMs = performance.now();
    if (lane.position === 0) lane.firstByteMs = this.#stamps.sinceFirst(lane.seq, nowMs);
    if (!this.#payload.matches(buffer, start, end, lane.seq, lane.position)) lane.intact = false;
    lane.position += end - start;
    if (lane.position === this.#payload.segmentBytes) lane.lastByteMs = this.#stamps.sinceLast(lane.seq, nowMs);
  }

  end(lane) {
    if (lane.status === 200) this.#ended(lane);
    else if (lane.status === 470 && lane.latest !== null) {
      this.#totals.gaps += 1;
      return this.#get(lane, lane.latest);
    } else {
      this.#totals.refused(lane.status);
      return this.#again(lane);
    }
    if (this.#wanted === null || !lane.idle) return;
    this.#get(lane, this.#wanted);
    this.#wanted = null;
  }

  #ended(lane) {
    // A jump back after a 470 brings what is here already.
    if (lane.seq <= this.#newest) return;
    if (lane.position === this.#payload.segmentBytes && lane.intact) {
      this.#newest = lane.seq;
      this.#record.delivered(lane.seq, lane.firstByteMs, lane.lastByteMs);
    } else if (lane.position === 0 && lane.intact) this.#totals.empty += 1;
    else this.#totals.corrupt += 1;
  }

  broken(lane) {
    if (!lane.intact) this.#totals.corrupt += 1;
    if (lane.position > 0) {
      // A reader who is behind the window is cut off, and finds the edge with the GET that is open already.
      this.#totals.cut += 1;
      if (this.#wanted !== null) this.#get(lane, this.#wanted);
      this.#wanted = null;
    } else {
      this.#totals.errors += 1;
      this.#again(lane);
    }
  }

  #again(lane) {
    lane.idle = false;
    setTimeout(() => {
      if (!this.#stopped) this.#get(lane, lane.seq);
    }, RETRY_MS);
  }

  stop() {
    this.#stopped = true;
    for (const lane of this.#lanes) lane.stop();
  }
}
