import { constants, type IncomingHttpHeaders, performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { RunnelError } from '@runnel/errors';
import type { RelayContext } from '../relay/context.ts';
import { Answered, answer } from './answer.ts';
import type { Http2Bounds } from './bounds.ts';
import type { Http2Counters } from './counters.ts';
import type { Exchange } from './exchange.ts';
import { Rate } from './rate.ts';
import { serve } from './serve.ts';

/** What the HTTP/2 connections of one relay share. */
export interface Http2Context {
  readonly relay: RelayContext;
  readonly bounds: Http2Bounds;
  readonly counters: Http2Counters;
  /** Requests under way on all of them. */
  streams: number;
}

/** Size of a field in a header list beside its name and value (RFC 9113, 6.5.2). */
const FIELD_OVERHEAD_BYTES = 32;

/**
 * Announced size of a request's headers. Node resets streams beyond it without a status, so it is what nghttp2 takes at most; the bound itself is
 * lower, and answered with 431.
 */
const MAX_HEADER_LIST_BYTES = 65_536;

/** Fields of one request. */
const MAX_FIELDS = 128;

/** Refusals on one connection before it is ended: its client does not heed the bound that it was told. */
const MAX_REFUSALS = 1000;

/** Frames that make no sense, before the connection is ended. */
const MAX_INVALID_FRAMES = 100;

/** What Node may hold for one connection: a full window of every reader. */
const MAX_MEMORY_MB = 32;

/**
 * One HTTP/2 connection.
 *
 * nghttp2 and Node end it by themselves on: CONTINUATION frames without an end (8), headers beyond 64 KiB, streams reset faster than the bound
 * (CVE-2023-44487), empty or invalid frames, answers to PING and SETTINGS that the peer does not take. They do not on: PING and SETTINGS as fast as
 * they come, headers beyond our own bound, and connections that do nothing: those are bounded here.
 */
export class Http2Connection {
  readonly #context: Http2Context;
  readonly #session: ServerHttp2Session;
  readonly #exchanges = new Map<ServerHttp2Stream, Exchange>();
  readonly #controlFrames: Rate;
  #busyMs: number;

  /** `onClose` is called once, when the connection is gone. */
  constructor(context: Http2Context, socket: TLSSocket, onClose: () => void) {
    const { bounds, relay } = context;
    this.#context = context;
    this.#busyMs = relay.hub.clock();
    this.#controlFrames = new Rate({ burst: bounds.controlFrameBurst, perSecond: bounds.controlFramesPerSecond });
    this.#session = performServerHandshake(socket, {
      settings: {
        enablePush: false,
        maxConcurrentStreams: bounds.maxStreamsPerConnection,
        initialWindowSize: bounds.streamWindowBytes,
        maxHeaderListSize: MAX_HEADER_LIST_BYTES,
      },
      maxHeaderListPairs: MAX_FIELDS,
      maxSessionMemory: MAX_MEMORY_MB,
      maxSessionRejectedStreams: MAX_REFUSALS,
      maxSessionInvalidFrames: MAX_INVALID_FRAMES,
      streamResetBurst: bounds.resetBurst,
      streamResetRate: bounds.resetsPerSecond,
    });
    this.#session.setLocalWindowSize(bounds.connectionWindowBytes);
    this.#session.on('stream', (stream, headers, _flags, raw: readonly string[]) => this.#open(stream, headers, raw));
    this.#session.on('ping', () => this.#controlFrame());
    this.#session.on('remoteSettings', () => this.#controlFrame());
    this.#session.on('error', (error: NodeJS.ErrnoException) => {
      // The rest is the network's: a client that is gone has violated nothing.
      if (error.code?.startsWith('ERR_HTTP2') === true) context.counters.violations += 1;
    });
    this.#session.on('close', onClose);
  }

  /** Looks at deadlines. */
  tick(nowMs: number): void {
    for (const exchange of this.#exchanges.values()) exchange.tick(nowMs);
    const { relay } = this.#context;
    if (this.#exchanges.size > 0 || nowMs - this.#busyMs <= relay.bounds.keepAliveMs) return;
    relay.counters.idleTimeouts += 1;
    this.#session.destroy();
  }

  /** Sends GOAWAY, lets streams finish, and ends what is left at the deadline. */
  async close(deadlineMs: number): Promise<void> {
    if (this.#session.destroyed) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => this.#session.destroy(), deadlineMs);
      this.#session.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      this.#session.close();
    });
  }

  #open(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, raw: readonly string[]): void {
    const context = this.#context;
    context.counters.streams += 1;
    // The close that follows says the same.
    stream.on('error', () => {});
    // Reset in the same read: nobody waits for an answer.
    if (stream.closed) return;
    if (context.streams >= context.bounds.maxStreams) {
      context.counters.refusedStreams += 1;
      stream.close(constants.NGHTTP2_REFUSED_STREAM);
      return;
    }
    context.streams += 1;
    stream.on('close', () => {
      context.streams -= 1;
      this.#exchanges.get(stream)?.gone();
      this.#exchanges.delete(stream);
      this.#busyMs = context.relay.hub.clock();
    });
    if (headerListBytes(raw) > context.relay.bounds.headerBytes) {
      context.relay.counters.headersTooLarge += 1;
      answer(stream, { status: 431, body: 'Headers too large' });
      this.#exchanges.set(stream, new Answered(context.relay, stream));
      return;
    }
    serve(context.relay, stream, headers, (exchange) => {
      if (!stream.destroyed) this.#exchanges.set(stream, exchange);
    });
  }

  #controlFrame(): void {
    if (this.#controlFrames.take(this.#context.relay.hub.clock())) return;
    this.#context.counters.violations += 1;
    // Without an error Node sends NO_ERROR, whatever the code.
    const error = new RunnelError('limit_exceeded', { message: 'The client sends too many control frames.' });
    this.#session.destroy(error, constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }
}

/** Size of a request's headers as RFC 9113, 6.5.2 counts it; `raw` has names and values in turn. */
function headerListBytes(raw: readonly string[]): number {
  let bytes = (raw.length / 2) * FIELD_OVERHEAD_BYTES;
  for (const text of raw) bytes += text.length;
  return bytes;
}
