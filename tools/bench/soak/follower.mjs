import http from 'node:http';
import { segmentBytes } from './expected.mjs';

/** A follower that reads all the time and dies never is `steady`; others die, dawdle or leave at random. */
export class Follower {
  #url;
  #channel;
  #kind;
  #random;
  #tally;
  #outcomes;
  #agent = new http.Agent({ keepAlive: true });
  #isOver = false;
  /** Requests that it has killed. */
  #dead = new WeakSet();
  /** Numbers read whole. */
  whole = new Set();

  constructor({ url, channel, kind, random, tally, outcomes }) {
    [this.#url, this.#channel, this.#kind, this.#random, this.#tally, this.#outcomes] = [url, channel, kind, random, tally, outcomes];
  }

  /** Reads segment after segment until the channel ends. */
  async run() {
    let seq = 0;
    try {
      while (!this.#isOver) seq = await this.#read(seq);
    } finally {
      this.#agent.destroy();
    }
  }

  /** The channel is gone: nothing more is to come. */
  stop() {
    this.#isOver = true;
  }

  /** Reads one; returns the number to go on with. */
  #read(seq) {
    return new Promise((resolve) => {
      const request = http.get(`${this.#url}/${seq}`, { agent: this.#agent });
      const killMs = this.#kind === 'mortal' && this.#random() < 0.3 ? this.#random() * 120 : null;
      let timer = null;
      if (killMs !== null) timer = setTimeout(() => this.#die(request), killMs);
      const go = (next) => {
        clearTimeout(timer);
        resolve(next);
      };
      let answered = false;
      request.once('response', () => (answered = true));
      request.on('error', () => {
        // What ends an answer that has begun is told by the answer.
        if (answered) return;
        // The channel has ended, or it was killed; the relay refuses nobody else.
        if (!this.#dead.has(request) && !this.#isOver) this.#tally.fault('unexpected', `GET ${seq}: no answer`);
        go(seq);
      });
      request.on('response', (response) => this.#receive({ request, response, seq, go }));
    });
  }

  #receive({ request, response, seq, go }) {
    const { statusCode, headers } = response;
    const parts = [];
    let size = 0;
    response.on('data', (bytes) => {
      parts.push(bytes);
      size += bytes.length;
      this.#tally.bytesRead += bytes.length;
      if (this.#kind === 'dawdling' && this.#random() < 0.05) {
        response.pause();
        setTimeout(() => response.resume(), this.#random() * 3000);
      }
      if (this.#kind === 'mortal' && this.#random() < 0.01) this.#die(request);
    });
    // Also after an abort, whatever ended it.
    response.on('error', () => {});
    response.on('close', () => {
      // What a parser still finds behind a death was not read.
      const died = this.#dead.has(request);
      if (statusCode === 404) {
        this.#isOver = true;
        go(seq);
        return;
      }
      if (statusCode === 470) {
        this.#tally.gaps += 1;
        go(Number(headers['lp-trickle-latest']));
        return;
      }
      if (statusCode !== 200) {
        this.#tally.fault('unexpected', `GET ${seq}: ${statusCode}`);
        setTimeout(() => go(seq), 50);
        return;
      }
      if (headers['lp-trickle-closed'] !== undefined) this.#isOver = true;
      this.#check({ seq, bytes: Buffer.concat(parts, size), whole: response.complete && !died, ended: this.#isOver });
      go(died ? seq : seq + 1);
    });
  }

  #check({ seq, bytes, whole, ended }) {
    const expected = segmentBytes(this.#channel, seq);
    if (bytes.length > expected.length || !expected.subarray(0, bytes.length).equals(bytes)) {
      this.#tally.fault('corrupt', `segment ${seq}: ${bytes.length} bytes that are not its own`);
    } else if (!whole) this.#tally.readCut += 1;
    else if (bytes.length === expected.length) {
      this.#tally.readWhole += 1;
      this.whole.add(seq);
    } else if (!ended && this.#outcomes.has(seq)) {
      this.#tally.fault(
        'corrupt',
        `segment ${seq}: ${bytes.length} of ${expected.length} bytes, and it looked whole to a ${this.#kind} follower; its POST: ${JSON.stringify(this.#outcomes.get(seq))}`,
      );
    }
  }

  #die(request) {
    if (request.destroyed) return;
    this.#tally.followerKills += 1;
    this.#dead.add(request);
    if (this.#random() < 0.5) request.socket?.resetAndDestroy();
    request.destroy();
  }
}
