/**
 * Streams whose delays are watched: reads `{url, channels, perSecond, bytes, seconds}` as JSON from standard input, publishes and follows them with Node's own `http`
 * client, and prints delays of the first byte, what was lost and what was wrong, as JSON. One process and one clock for both ends.
 */
import { createHash } from 'node:crypto';
import http from 'node:http';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { text } from 'node:stream/consumers';
import { percentile, round } from '../edge/stats.mjs';

const { url, channels, perSecond, bytes, seconds } = JSON.parse(await text(process.stdin));
const pause = (ms) =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
const agent = new http.Agent({ keepAlive: true });
const delays = [];
const seen = { sent: 0, lost: 0, corrupt: 0, refused: 0 };

const bodyOf = (channel, seq) => Buffer.alloc(bytes, createHash('sha256').update(`${channel} ${seq}`).digest());

function open(channel, seq) {
  const request = http.request(`${url}${channel}/${seq}`, { method: 'POST', agent, headers: { 'Transfer-Encoding': 'chunked' } });
  request.flushHeaders();
  request.on('error', () => (seen.refused += 1));
  request.on('response', (response) => {
    if (response.statusCode !== 200) seen.refused += 1;
    response.resume();
  });
  return request;
}

/** Publishes one channel; every segment's time of sending is kept for the follower. */
async function publish(channel, sent) {
  const count = Math.round(seconds * perSecond);
  const startMs = performance.now();
  let next = open(channel, 0);
  for (let seq = 0; seq < count; seq += 1) {
    const request = next;
    if (seq + 1 < count) next = open(channel, seq + 1);
    await pause(Math.max(0, startMs + (seq * 1000) / perSecond - performance.now()));
    sent[seq] = performance.now();
    seen.sent += 1;
    request.end(bodyOf(channel, seq));
  }
  return count;
}

/** Follows one channel with the GET of n + 1 open while n is read. */
function follow(channel, sent, isOver) {
  const got = new Set();
  const read = (seq) =>
    new Promise((resolve) => {
      const request = http.get(`${url}${channel}/${seq}`, { agent });
      request.on('error', () => resolve(seq + 1));
      request.on('response', (response) => {
        if (response.statusCode === 470) {
          response.resume();
          resolve(Number(response.headers['lp-trickle-latest']));
          return;
        }
        if (response.statusCode !== 200) {
          response.resume();
          setTimeout(() => resolve(seq), 20);
          return;
        }
        resolve(seq + 1);
        const parts = [];
        response.once('data', () => delays.push(performance.now() - sent[seq]));
        response.on('data', (part) => parts.push(part));
        response.on('error', () => {});
        response.on('close', () => {
          const all = Buffer.concat(parts);
          if (response.complete && all.equals(bodyOf(channel, seq))) got.add(seq);
          else if (!isOver()) seen.corrupt += 1;
        });
      });
    });
  const reading = (async () => {
    for (let seq = 0; !isOver();) seq = await read(seq);
  })();
  return { got, reading };
}

const lag = monitorEventLoopDelay({ resolution: 2 });
await Promise.all(
  channels.map(async (channel) => {
    const created = await new Promise((resolve, reject) => {
      const headers = { 'Expect-Content': 'video/mp2t', 'Content-Length': '0' };
      http
        .request(`${url}${channel}`, { method: 'POST', headers, agent }, (response) =>
          response.resume().on('end', () => resolve(response.statusCode)),
        )
        .on('error', reject)
        .end();
    });
    if (created !== 200) throw new Error(`No channel: ${created}`);
    const sent = [];
    let isOver = false;
    const { got } = follow(channel, sent, () => isOver);
    await pause(100);
    lag.enable();
    const count = await publish(channel, sent);
    for (let waited = 0; got.size < count && waited < 3000; waited += 50) await pause(50);
    isOver = true;
    seen.lost += count - got.size;
  }),
);
const result = {
  ...seen,
  firstByteMs: { p50: round(percentile(delays, 50), 2), p99: round(percentile(delays, 99), 2), max: round(percentile(delays, 100), 2) },
  generatorLagP99Ms: round(lag.percentile(99) / 1e6, 2),
};
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
