import type { Socket } from 'node:net';
import type { Channel, Chunk, ReaderObserver, SegmentReader } from '@runnel/trickle-core';
import type { RelayContext } from '../relay/context.ts';
import { type Dispatch, dispatch } from '../relay/dispatch.ts';
import { pump, segmentHeaders, type SegmentSink } from '../relay/pump.ts';
import type { ShortAnswer } from '../relay/short-answer.ts';
import { type AnswerFraming, CONTINUE, LAST_CHUNK, shortAnswerText, streamHeadText } from './answers.ts';
import type { FirstPieces } from './first-piece.ts';
import { parseHead, type RequestHead } from './head.ts';
import { type BodyHost, IncomingBody } from './incoming-body.ts';
import { Outlet } from './outlet.ts';

/** All connections of one address. */
export interface ConnectionAddress {
  readonly key: string;
  count: number;
}

/** For whom a connection is when it is not for this relay. */
export type Destination = { readonly kind: 'foreign' } | { readonly kind: 'elsewhere'; readonly channel: string };

/** What a connection needs of the relay that it belongs to. */
export interface ConnectionHost {
  readonly context: RelayContext;
  readonly firstPieces: FirstPieces;
  /** Milliseconds, renewed a few times a second: good enough for deadlines, and free. */
  readonly nowMs: number;
  /** Value of `Date`. */
  readonly date: string;
  /** The connection is gone, or somebody else's. */
  left(connection: Http1Connection): void;
  /** Gives a connection away, paused, with the bytes from the beginning of a request on. */
  handOver(socket: Socket, received: Buffer, to: Destination): void;
}

/**
 * What happens on a connection: a request's head is awaited; its body comes in; its answer goes out, or is waited for; it is decided
 * elsewhere; the last answer is out and what still comes is thrown away.
 */
type Phase = 'head' | 'body' | 'answering' | 'later' | 'closing';

const CR = 13;
const LF = 10;
const HEAD_END = Buffer.from('\r\n\r\n', 'latin1');

/** How long a client may take to end its side after the last answer. */
const CLOSING_MS = 2000;

/** A first chunk above this goes out beside the head, not in one buffer with it. */
const MAX_COPY_BYTES = 32 * 1024;

/** Bytes that a client may send ahead while it waits for an answer. */
const MAX_AHEAD_BYTES = 64 * 1024;

/** A rest that would keep more than this many times its size of received memory is copied out of it. */
const MAX_PINNED_RATIO = 4;

const CONNECTION = Symbol('connection');

interface ConnectedSocket extends Socket {
  [CONNECTION]?: Http1Connection;
}

/**
 * One connection that speaks HTTP/1.1 (RFC 9112) to the relay, on a plain or a TLS socket.
 *
 * Written on sockets and not on node:http because the relay's work is nearly all system calls: what counts is the number of writes. A run of
 * chunks is one write to each reader, head included. There are no closures, timers or listeners of its own for a connection, and
 * it is its reader's observer and sink in one: ten thousand subscribers that wait cost little more than their sockets.
 */
export class Http1Connection implements SegmentSink, ReaderObserver, BodyHost {
  /** Whom it counts for, and among whose connections its deadlines are looked at; kept by the relay. */
  readonly address: ConnectionAddress;
  readonly part: number;
  readonly #host: ConnectionHost;
  readonly #socket: Socket;
  readonly #outlet: Outlet;
  #phase: Phase = 'head';
  /** Received and not used yet. */
  #received: Buffer | null = null;
  /** Begin of what the phase waits for: the head's first byte, the body's latest byte, the GET's arrival or a write that blocks. */
  #sinceMs: number;
  /** When the next interim answer is due. */
  #continueMs = 0;
  #minor: 0 | 1 = 1;
  #fresh = true;
  #keepAlive = true;
  #consuming = false;
  /** Nothing is read from the socket, because what was read cannot be used yet. */
  #paused = false;
  #begun = false;
  #headDue = false;
  #channel: Channel | null = null;
  #reader: SegmentReader | null = null;
  #body: IncomingBody | null = null;

  constructor(socket: Socket, host: ConnectionHost, place: { address: ConnectionAddress; part: number }) {
    this.#socket = socket;
    this.#outlet = new Outlet(socket);
    this.#host = host;
    this.address = place.address;
    this.part = place.part;
    this.#sinceMs = host.nowMs;
    (socket as ConnectedSocket)[CONNECTION] = this;
    socket.on('data', onData).on('drain', onDrain).on('error', onError).on('close', onClose);
  }

  /** Takes what the socket has received. */
  receive(data: Buffer): void {
    if (this.#phase === 'closing') return;
    const earlier = this.#received;
    this.#received = null;
    if (this.#phase === 'body') this.#sinceMs = this.#host.nowMs;
    this.#consume(earlier === null ? data : Buffer.concat([earlier, data]));
    // A head has begun. Empty lines before one are nothing, or they would keep a connection for ever.
    if (earlier === null && this.#phase === 'head' && this.#received !== null && this.#received[0] !== CR) this.#sinceMs = this.#host.nowMs;
  }

  /** Looks at the clock: deadlines and interim answers. To be called about once a second. */
  tick(nowMs: number): void {
    const { bounds } = this.#host.context;
    const waitedMs = nowMs - this.#sinceMs;
    this.#outlet.settle();
    switch (this.#phase) {
      case 'head':
        return this.#tickHead(waitedMs);
      case 'body':
        return this.#tickBody(nowMs, waitedMs);
      case 'closing':
        if (waitedMs > (this.#socket.writableLength > 0 ? bounds.stallMs : CLOSING_MS)) resetSocket(this.#socket);
        return;
      case 'answering':
      case 'later':
        if (this.#outlet.blocked) this.#tickStalled(waitedMs);
    }
  }

  /** The client does not take its answers. */
  #tickStalled(waitedMs: number): void {
    const { bounds, counters } = this.#host.context;
    if (waitedMs <= bounds.stallMs) return;
    counters.stalled += 1;
    this.reset({ flush: false });
  }

  /** Ends it: at once when no request is under way, otherwise after the answer. */
  retire(): void {
    this.#keepAlive = false;
    if (this.#phase === 'head') this.#answered();
  }

  /** Ends it now. */
  destroy(): void {
    this.#socket.destroy();
  }

  #tickHead(waitedMs: number): void {
    const { bounds, counters } = this.#host.context;
    if (this.#socket.writableNeedDrain) return this.#tickStalled(waitedMs);
    const begun = this.#received !== null;
    if (waitedMs <= (begun || this.#fresh ? bounds.headerMs : bounds.keepAliveMs)) return;
    if (begun) {
      counters.headerTimeouts += 1;
      this.#refuse({ status: 408, body: 'Headers took too long' });
    } else {
      counters.idleTimeouts += 1;
      this.#socket.destroy();
    }
  }

  #tickBody(nowMs: number, waitedMs: number): void {
    const { bounds, counters, continueIntervalMs } = this.#host.context;
    const { begun } = this.#body!;
    if (!this.#paused && waitedMs > (begun ? bounds.interByteMs : bounds.firstByteMs)) {
      counters.bodyTimeouts += 1;
      this.#refuse({ status: 408, body: 'Body took too long' });
    } else if (!begun && this.#minor === 1 && nowMs >= this.#continueMs) {
      this.#continueMs = nowMs + continueIntervalMs;
      this.#socket.write(CONTINUE, 'latin1');
    }
  }

  // Bytes in

  #consume(data: Buffer): void {
    let at = 0;
    this.#consuming = true;
    while (at < data.length && this.#phase !== 'closing') {
      const next = this.#step(data, at);
      if (next === at) {
        this.#keep(data, at);
        break;
      }
      at = next;
    }
    this.#consuming = false;
  }

  /** Uses what it can from `at` on, and returns the position behind it; `at` when it has to wait, for bytes or for an end. */
  #step(data: Buffer, at: number): number {
    // One who takes no answers gets no more of them.
    if (this.#phase === 'head') return this.#socket.writableNeedDrain ? at : this.#readHead(data, at);
    if (this.#phase === 'body') return this.#body!.mustWait ? at : this.#body!.read(data, at);
    return at;
  }

  #readHead(data: Buffer, from: number): number {
    let at = from;
    // Empty lines before a request are to be read over (RFC 9112, 2.2).
    while (at + 1 < data.length && data[at] === CR && data[at + 1] === LF) at += 2;
    const { context } = this.#host;
    const end = data.indexOf(HEAD_END, at);
    if ((end === -1 ? data.length : end) - at > context.bounds.headerBytes) {
      context.counters.headersTooLarge += 1;
      this.#refuse({ status: 431, body: `Request line and headers have ${context.bounds.headerBytes} bytes at most` });
      return data.length;
    }
    if (end === -1) return at;
    const head = parseHead(data.toString('latin1', at, end));
    this.#fresh = false;
    if ('status' in head) {
      context.counters.malformed += 1;
      this.#refuse({ status: head.status, body: head.message });
      return data.length;
    }
    const outcome = dispatch(context, head);
    if (outcome.kind === 'foreign' || outcome.kind === 'elsewhere') {
      this.#giveAway(data.subarray(at), outcome);
      return data.length;
    }
    this.#minor = head.minor;
    // A body that nobody reads leaves no place where the next request could begin.
    this.#keepAlive &&= head.keepAlive && (outcome.kind === 'publish' || head.body === 0);
    this.#begin(outcome, head);
    return end + HEAD_END.length;
  }

  #begin(outcome: Dispatch, head: RequestHead | null): void {
    switch (outcome.kind) {
      case 'answer':
        // No answer to a HEAD has a body (RFC 9110, 9.3.2).
        this.answer(head?.method === 'HEAD' ? { ...outcome.answer, body: '' } : outcome.answer);
        return;
      case 'publish':
        this.#phase = 'body';
        this.#sinceMs = this.#host.nowMs;
        this.#continueMs = this.#sinceMs + this.#host.context.continueIntervalMs;
        this.#body = new IncomingBody(this.#host.context, this, { ...outcome, length: head!.body });
        this.#body.start();
        // Not asked for what is refused already.
        if (head!.expectContinue && this.#body !== null) this.#socket.write(CONTINUE, 'latin1');
        return;
      case 'subscribe':
        this.#phase = 'answering';
        this.#sinceMs = this.#host.context.hub.clock();
        this.#channel = outcome.channel;
        this.#reader = outcome.reader;
        outcome.reader.observer = this;
        this.segmentChanged();
        return;
      case 'later':
        this.#phase = 'later';
        // Never rejects, and ends by time alone.
        outcome.outcome.then(
          (decided) => this.#decided(decided),
          () => this.#socket.destroy(),
        );
        return;
      case 'foreign':
      case 'elsewhere':
        // Decided with the head in hand, before anything begins.
        this.#socket.destroy();
    }
  }

  /** What was decided elsewhere; the client may have left meanwhile. */
  #decided(outcome: Dispatch): void {
    if (this.#phase === 'later') this.#begin(outcome, null);
    else if (outcome.kind === 'subscribe') outcome.reader.close();
  }

  bodyDone(answer: ShortAnswer): void {
    this.#body = null;
    this.answer(answer);
  }

  bodyRefused(answer: ShortAnswer): void {
    this.#body = null;
    this.#refuse(answer);
  }

  bodyTurn(): void {
    // Not from inside the other body's chunk.
    process.nextTick(goOn, this);
  }

  #keep(data: Buffer, at: number): void {
    const rest = data.subarray(at);
    this.#received = rest.length * MAX_PINNED_RATIO < data.buffer.byteLength ? Buffer.from(rest) : rest;
    const moreHelps = this.#phase === 'head' && !this.#socket.writableNeedDrain;
    this.#paused = this.#phase === 'body' || (rest.length > MAX_AHEAD_BYTES && !moreHelps);
    if (this.#paused) this.#socket.pause();
  }

  #goOn(): void {
    if (this.#consuming || this.#phase === 'closing') return;
    const data = this.#received;
    const wasPaused = this.#paused;
    this.#received = null;
    this.#paused = false;
    this.#sinceMs = this.#host.nowMs;
    if (data !== null) this.#consume(data);
    if (wasPaused && !this.#paused) this.#socket.resume();
  }

  #giveAway(received: Buffer, to: Destination): void {
    const socket = this.#socket as ConnectedSocket;
    this.#phase = 'closing';
    socket.pause();
    socket.off('data', onData).off('drain', onDrain).off('error', onError).off('close', onClose);
    delete socket[CONNECTION];
    this.#host.left(this);
    this.#host.handOver(socket, received, to);
  }

  // Answers out

  segmentChanged(): void {
    if (this.#reader === null || !pump(this.#channel!, this.#reader, this)) return;
    this.#reader = null;
    this.#channel = null;
    if (this.#phase === 'answering') this.#answered();
  }

  get blocked(): boolean {
    return this.#outlet.blocked;
  }

  get begun(): boolean {
    return this.#begun;
  }

  begin(): void {
    this.#begun = true;
    this.#headDue = true;
    // HTTP/1.0 has no other end of a body that streams than the end of the connection.
    if (this.#minor === 0) this.#keepAlive = false;
    const { onFirstByte, hub } = this.#host.context;
    if (onFirstByte === null) return;
    const { firstByteMs } = this.#reader!.segment;
    onFirstByte(Math.max(0, hub.clock() - Math.max(this.#sinceMs, firstByteMs ?? 0)));
  }

  write(chunk: Chunk, last: boolean): void {
    if (!this.#headDue) return this.#sendChunk(chunk, last);
    this.#headDue = false;
    if (this.#minor === 1 && chunk.size <= MAX_COPY_BYTES) {
      this.#outlet.send(this.#host.firstPieces.get(this.#channel!, this.#reader!, chunk, { last, framing: this.#framing() }), null);
      if (!this.#outlet.empty) this.#host.firstPieces.keep();
      return this.#noteBlock();
    }
    this.cork();
    this.#sendHead();
    this.#sendChunk(chunk, last);
    this.uncork();
  }

  end(): void {
    if (this.#minor === 1) this.#outlet.send(LAST_CHUNK, null);
  }

  cork(): void {
    this.#outlet.cork();
  }

  uncork(): void {
    this.#outlet.uncork();
  }

  reset({ flush }: { flush: boolean }): void {
    if (flush && this.#headDue) this.#sendHead();
    this.#leave();
    this.#phase = 'closing';
    this.#sinceMs = this.#host.nowMs;
    if (!flush) return resetSocket(this.#socket);
    this.#socket.write('', () => resetSocket(this.#socket));
  }

  answer(answer: ShortAnswer): void {
    if (answer.close === true) this.#keepAlive = false;
    this.#socket.write(shortAnswerText(answer, this.#framing()), 'latin1');
    this.#answered();
  }

  /** Answers and ends, wherever the request stands. */
  #refuse(answer: ShortAnswer): void {
    this.#leave();
    this.answer({ ...answer, close: true });
  }

  #answered(): void {
    this.#begun = false;
    this.#sinceMs = this.#host.nowMs;
    if (this.#keepAlive) {
      this.#phase = 'head';
      if (this.#received !== null && !this.#consuming) process.nextTick(goOn, this);
      return;
    }
    this.#phase = 'closing';
    this.#received = null;
    this.#socket.end();
    // What still comes is read and thrown away: an end with unread bytes would be a reset, which can overtake the answer.
    if (this.#socket.isPaused()) this.#socket.resume();
  }

  #framing(): AnswerFraming {
    return { minor: this.#minor, keepAlive: this.#keepAlive, date: this.#host.date };
  }

  #sendHead(): void {
    const headers = segmentHeaders(this.#host.context, this.#channel!, this.#reader!);
    this.#socket.write(streamHeadText(headers, this.#framing()), 'latin1');
    this.#headDue = false;
  }

  #sendChunk(chunk: Chunk, last: boolean): void {
    if (this.#minor === 1) this.#outlet.sendChunk(chunk, last);
    else for (const payload of chunk.payloads) this.#outlet.send(payload, null);
    this.#noteBlock();
  }

  /** From now on the client has to take something before long. It was not blocked before, or nothing would have been sent. */
  #noteBlock(): void {
    if (this.#outlet.blocked) this.#sinceMs = this.#host.nowMs;
  }

  // Ends

  /** The socket has sent what it had. */
  drained(): void {
    this.#outlet.sent();
    if (this.#reader !== null) this.segmentChanged();
    else if (this.#phase === 'head' && this.#received !== null) this.#goOn();
  }

  /** The socket is gone. */
  closed(): void {
    this.#phase = 'closing';
    this.#received = null;
    this.#leave();
    this.#outlet.sent();
    this.#host.left(this);
  }

  #leave(): void {
    this.#reader?.close();
    this.#reader = null;
    this.#body?.abort();
    this.#body = null;
  }

  /** As a function, so that a tick needs no closure. */
  static goOn(connection: Http1Connection): void {
    connection.#goOn();
  }
}

const { goOn } = Http1Connection;

function onData(this: ConnectedSocket, data: Buffer): void {
  this[CONNECTION]!.receive(data);
}

function onDrain(this: ConnectedSocket): void {
  this[CONNECTION]!.drained();
}

/** The close that follows says the same. */
function onError(): void {}

function onClose(this: ConnectedSocket): void {
  this[CONNECTION]!.closed();
}

/**
 * Ends so that no client can take what it has for the whole: by a TCP reset, or on TLS by an end without close_notify. A Unix socket knows no
 * reset: who is at its other end goes by the framing of the answer.
 */
function resetSocket(socket: Socket): void {
  if ('encrypted' in socket || socket.remoteFamily === undefined) socket.destroy();
  else socket.resetAndDestroy();
}
