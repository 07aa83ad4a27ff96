import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, createServer as createTcpServer, type Server as TcpServer, type Socket } from 'node:net';
import type { Channel, ReadSegment, Subscriber } from '@runnel/trickle-core';
import { type CascadeUpstream, createUpstream, type UpstreamOptions } from '../cascade/upstream.ts';
import { parseUpstreams, staticDirectory } from '../cascade/static-directory.ts';
import { createRelay, createSubscriber, type Relay, type RelayOptions } from '../index.ts';

/** An edge of a test: a relay that asks others for what it does not have. */
export interface Edge {
  readonly relay: Relay;
  readonly upstream: CascadeUpstream;
  /** Ends with the base path. */
  readonly url: string;
}

/** What an edge of a test may be told, beside its table. */
export type EdgeOptions = Partial<UpstreamOptions> & { upstreams?: string; relay?: RelayOptions };

/** Edges, servers, proxies and subscribers of one test, closed at its end, the last first. */
export class Stage {
  readonly #closes: (() => Promise<unknown>)[] = [];

  /** Starts an edge. Its times are short, so that a test does not wait for them. */
  async edge({ upstreams = '', relay: relayOptions, ...options }: EdgeOptions = {}): Promise<Edge> {
    const directory = staticDirectory(parseUpstreams(upstreams));
    const upstream = createUpstream({ hub: () => relay.hub, directory, notFoundMs: 50, ...options });
    const relay = createRelay({ ...relayOptions, upstream });
    this.closeLater(() => relay.close());
    this.closeLater(() => upstream.close());
    const { url } = await relay.listen({ host: '127.0.0.1', port: 0 });
    return { relay, upstream, url };
  }

  /** Reads a channel at an edge. */
  subscriber(edge: { url: string }, start: number | 'current' | 'next', channel = 'c'): Subscriber {
    const subscriber = createSubscriber({ url: edge.url + channel, start });
    this.closeLater(() => subscriber.close());
    return subscriber;
  }

  /** A server that answers as a test wants it to; its URL ends with `/trickle/`. */
  async server(listener: RequestListener, port = 0): Promise<{ url: string; server: Server }> {
    const server = createServer(listener);
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    this.closeLater(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/trickle/`, server };
  }

  /** As `server`, on https. */
  async tlsServer(pair: { cert: string; key: string }, listener: RequestListener): Promise<string> {
    const server = createTlsServer(pair, listener);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.closeLater(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    return `https://127.0.0.1:${(server.address() as AddressInfo).port}/trickle/`;
  }

  /** A network between an edge and others that can fail. */
  async network(to: { url: string }): Promise<Network> {
    const network = new Network(new URL(to.url));
    this.closeLater(() => network.close());
    await network.restore();
    return network;
  }

  closeLater(close: () => Promise<unknown>): void {
    this.#closes.push(close);
  }

  async close(): Promise<void> {
    while (this.#closes.length > 0) await this.#closes.pop()!();
  }
}

/** Carries connections to an edge while it is up. */
export class Network {
  readonly #to: URL;
  readonly #sockets = new Set<Socket>();
  #server: TcpServer | null = null;
  #port = 0;

  constructor(to: URL) {
    this.#to = to;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}${this.#to.pathname}`;
  }

  /** Lets connections through. */
  async restore(): Promise<void> {
    const server = createTcpServer((inner) => {
      const outer = connect(Number(this.#to.port), this.#to.hostname);
      for (const [socket, other] of [
        [inner, outer],
        [outer, inner],
      ]) {
        this.#sockets.add(socket);
        socket.on('error', () => {});
        socket.on('close', () => {
          this.#sockets.delete(socket);
          other.destroy();
        });
      }
      inner.pipe(outer).pipe(inner);
    });
    await new Promise<void>((resolve) => server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** Breaks all connections and refuses new ones. */
  async cut(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    for (const socket of this.#sockets) {
      // A reset while a shutdown is under way fails in Node, and leaves the handle open.
      if (socket.writableEnded) socket.destroy();
      else socket.resetAndDestroy();
    }
    await new Promise<void>((resolve) => (server === null ? resolve() : server.close(() => resolve())));
  }

  async close(): Promise<void> {
    await this.cut();
  }
}

/** Publishes one whole segment in the owner's process. */
export function put(channel: Channel, text: string, seq = channel.nextWrite): void {
  const writer = channel.write(seq);
  writer.write(Buffer.from(text));
  writer.end();
}

/** The bytes of a segment as text. */
export async function textOf(segment: ReadSegment): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of segment.bytes) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

/** The next segment with its text, or what comes instead. */
export async function read(subscriber: Subscriber): Promise<unknown> {
  const next = await subscriber.next();
  return next?.kind === 'segment' ? [next.seq, await textOf(next)] : next;
}
