import http from 'node:http';
import { segmentBytes } from './expected.mjs';

/** How a POST ends by the will of the one who sends it. */
const KILLS = ['before-first-byte', 'reset', 'end'];

const ANSWER_DEADLINE_MS = 20_000;

/**
 * Publishes one channel in the way of the clients: the POST of n + 1 is open before n has its bytes. Now and then a POST dies: before its first
 * byte, and is made again; in the middle, by a reset or an orderly end of the connection, and is given up.
 */
export class Publisher {
  /** By number: `whole` or `cut`, and how many bytes had been handed to the socket at most. */
  outcomes = new Map();
  #url;
  #channel;
  #random;
  #tally;
  #agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
  #ended = false;

  constructor({ url, channel, random, tally }) {
    [this.#url, this.#channel, this.#random, this.#tally] = [url, channel, random, tally];
  }

  /** Publishes segments at a pace until `untilMs`, ends the body of the last, and returns how many there were. */
  async run({ untilMs, perSecond }) {
    let next = this.#open(0);
    let seq = 0;
    for (; performance.now() < untilMs && !this.#ended; seq += 1) {
      const post = next;
      next = this.#open(seq + 1);
      const dueMs = performance.now() + 1000 / perSecond;
      await this.#publish(post, seq);
      await pause(Math.max(0, dueMs - performance.now()));
    }
    next.request.on('error', () => {}).destroy();
    await Promise.allSettled([next.answer]);
    this.#agent.destroy();
    return seq;
  }

  #open(seq) {
    const request = http.request(`${this.#url}/${seq}`, {
      method: 'POST',
      agent: this.#agent,
      headers: { 'Content-Type': 'application/octet-stream', 'Transfer-Encoding': 'chunked' },
    });
    const answer = new Promise((resolve, reject) => {
      request.on('response', (response) => {
        response.resume();
        response.on('end', () => resolve(response)).on('error', reject);
      });
      request.on('error', reject);
      request.setTimeout(ANSWER_DEADLINE_MS, () => request.destroy(new Error('no answer')));
    });
    answer.catch(() => {});
    request.flushHeaders();
    return { request, answer };
  }

  async #publish({ request, answer }, seq) {
    const bytes = segmentBytes(this.#channel, seq);
    const chance = this.#random();
    const kill = chance < 0.04 ? KILLS[Math.floor(this.#random() * KILLS.length)] : null;
    if (kill === 'before-first-byte' || (kill !== null && bytes.length < 2)) {
      this.#tally.publisherKills += 1;
      request.destroy();
      await answer.catch(() => {});
      await this.#publish(this.#open(seq), seq);
      return;
    }
    const stopAt = kill === null ? bytes.length : 1 + Math.floor(this.#random() * (bytes.length - 1));
    this.outcomes.set(seq, { kind: kill === null ? 'pending' : 'cut', bytes: stopAt });
    for (let at = 0; at < stopAt;) {
      const size = Math.min(stopAt - at, 1 + Math.floor(this.#random() * 30_000));
      request.write(bytes.subarray(at, at + size));
      at += size;
      if (this.#random() < 0.5) await pause(this.#random() * 8);
    }
    if (kill !== null) {
      await this.#kill({ request, answer }, kill);
      return;
    }
    request.end();
    try {
      const { statusCode, headers } = await answer;
      if (statusCode !== 200 || headers['lp-trickle-seq'] !== String(seq)) {
        this.#tally.fault('unexpected', `POST ${seq}: ${statusCode}, seq ${headers['lp-trickle-seq']}`);
        this.outcomes.set(seq, { kind: 'cut', bytes: bytes.length });
        return;
      }
      this.#tally.published += 1;
      this.outcomes.get(seq).kind = 'whole';
    } catch (error) {
      this.#tally.fault('unexpected', `POST ${seq}: ${error.message}`);
      this.outcomes.set(seq, { kind: 'cut', bytes: bytes.length });
    }
  }

  async #kill({ request, answer }, kill) {
    this.#tally.publisherKills += 1;
    // Some of it is on its way, some is not.
    await pause(this.#random() * 5);
    if (kill === 'reset') request.socket?.resetAndDestroy();
    else request.socket?.end();
    setTimeout(() => request.destroy(), 1000).unref();
    await answer.catch(() => {});
  }
}

export function pause(ms) {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
