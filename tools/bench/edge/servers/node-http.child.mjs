/**
 * What the edge is compared with on any machine: a trickle relay as one writes it on `node:http` without thinking of its speed, and without the bounds, the
 * checks and the counters of the edge. Window of 5, channels made by whoever asks. Prints `{"url"}` and serves until it is ended. With two arguments, the files
 * of a certificate and its key, it speaks TLS.
 */
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';

const WINDOW = 5;
const KEEP_ALIVE_MS = 75_000;
const CONTINUE_MS = 10_000;

class Segment {
  chunks = [];
  closed = false;
  readers = new Set();
  write(chunk) {
    this.chunks.push(chunk);
    this.#wake();
  }
  close() {
    this.closed = true;
    this.#wake();
  }
  #wake() {
    for (const send of this.readers) send();
  }
}

class Channel {
  segments = new Map();
  nextWrite = 0;
  constructor(mimeType) {
    this.mimeType = mimeType;
  }
  segment(seq) {
    let segment = this.segments.get(seq);
    if (segment === undefined) this.segments.set(seq, (segment = new Segment()));
    return segment;
  }
  begin(seq) {
    this.nextWrite = Math.max(this.nextWrite, seq + 1);
    for (const [old, segment] of this.segments) {
      if (old >= this.nextWrite - WINDOW) continue;
      this.segments.delete(old);
      segment.close();
    }
  }
  end() {
    this.ended = true;
    for (const segment of this.segments.values()) segment.close();
  }
}

const channels = new Map();
const waiting = new Set();
setInterval(() => {
  for (const res of waiting) res.writeContinue();
}, CONTINUE_MS).unref();

function answer(res, status, headers = {}, body = '') {
  res.writeHead(status, { 'Content-Length': Buffer.byteLength(body), ...headers }).end(body);
}

function create(name, mimeType = 'application/octet-stream') {
  let channel = channels.get(name);
  if (channel === undefined) channels.set(name, (channel = new Channel(mimeType)));
  return channel;
}

function publish(channel, seq, req, res) {
  const segment = channel.segment(seq);
  let empty = true;
  waiting.add(res);
  req.on('data', (chunk) => {
    if (empty) {
      empty = false;
      waiting.delete(res);
      channel.begin(seq);
    }
    segment.write(chunk);
  });
  req.on('end', () => {
    waiting.delete(res);
    channel.begin(seq);
    segment.close();
    answer(res, 200, { 'Lp-Trickle-Seq': seq, ...(empty && { Connection: 'close' }) });
  });
  req.on('close', () => waiting.delete(res));
}

function subscribe(channel, seq, res) {
  const latest = channel.nextWrite;
  if (!channel.segments.has(seq) && seq !== latest && !(seq === 1 && latest === 0))
    return answer(res, 470, { 'Lp-Trickle-Latest': latest, 'Lp-Trickle-Seq': seq }, 'Entry not found');
  const segment = channel.segment(seq);
  let sent = 0;
  let blocked = false;
  const send = () => {
    while (!blocked && sent < segment.chunks.length) {
      if (sent === 0) {
        res.writeHead(200, {
          'Content-Type': channel.mimeType,
          'Lp-Trickle-Seq': seq,
          ...(seq !== latest && { 'Lp-Trickle-Latest': latest }),
        });
      }
      blocked = !res.write(segment.chunks[sent]);
      sent += 1;
    }
    if (!segment.closed || sent < segment.chunks.length) return;
    segment.readers.delete(send);
    if (sent > 0) {
      res.end();
      return;
    }
    const ended = channel.ended && { 'Lp-Trickle-Closed': 'terminated' };
    answer(res, 200, { 'Lp-Trickle-Seq': seq, 'Lp-Trickle-Latest': channel.nextWrite, ...ended });
  };
  segment.readers.add(send);
  res.on('drain', () => {
    blocked = false;
    send();
  });
  res.on('close', () => segment.readers.delete(send));
  send();
}

const [certFile, keyFile] = process.argv.slice(2);
const secure = certFile !== undefined && { cert: readFileSync(certFile), key: readFileSync(keyFile) };
const { createServer } = secure ? https : http;

const server = createServer({ ...secure, requestTimeout: 0, keepAliveTimeout: KEEP_ALIVE_MS, noDelay: true }, (req, res) => {
  const [name, last] = req.url.slice(1).split('/');
  if (req.method === 'POST' && last === undefined) {
    create(name, req.headers['expect-content']);
    return answer(res, 200);
  }
  const channel = req.method === 'POST' ? create(name, req.headers['content-type']) : channels.get(name);
  if (channel === undefined) return answer(res, 404, { Connection: 'close' }, 'Stream not found');
  if (last === 'next') return answer(res, 200, { 'Lp-Trickle-Latest': channel.nextWrite }, String(channel.nextWrite));
  if (req.method === 'DELETE' && last === undefined) {
    channels.delete(name);
    channel.end();
    return answer(res, 200);
  }
  const asked = Number(last);
  if (!Number.isInteger(asked)) return answer(res, 400, {}, 'Invalid idx');
  const seq = asked === -1 ? channel.nextWrite : asked === -2 ? Math.max(0, channel.nextWrite - 1) : asked;
  if (req.method === 'POST') return publish(channel, seq, req, res);
  if (req.method === 'GET') return subscribe(channel, seq, res);
  channel.segments.get(seq)?.close();
  answer(res, 200);
});
server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => {
  process.stdout.write(`${JSON.stringify({ url: `http${secure ? 's' : ''}://127.0.0.1:${server.address().port}/` })}\n`);
});
