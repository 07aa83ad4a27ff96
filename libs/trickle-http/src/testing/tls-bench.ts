import type { Channel } from '@runnel/trickle-core';
import { createRelay, type Relay, type RelayOptions } from '../index.ts';
import { type FileCertificates, fileCertificates } from '../tls/file-certificates.ts';
import { makePair, PairFiles } from './certificates.ts';
import { Http2Client } from './http2-client.ts';
import { Http2Wire } from './http2-wire.ts';
import { Wire } from './wire.ts';

/** A relay behind TLS with one channel `c`, and connections to it, for the length of one test. */
export class TlsBench {
  readonly relay: Relay;
  readonly files: PairFiles;
  readonly certificates: FileCertificates;
  /** PEM of the certificate that the relay began with, which is its own root. */
  readonly ca: string;
  #url = '';
  readonly #closers: (() => void)[] = [];

  private constructor(relay: Relay, files: PairFiles, ca: string) {
    this.relay = relay;
    this.files = files;
    this.ca = ca;
    this.certificates = fileCertificates({ certFile: files.certFile, keyFile: files.keyFile, pollMs: 0 });
  }

  /** Makes certificates and a relay, and listens. */
  static async start(options: RelayOptions = {}, host = '127.0.0.1'): Promise<TlsBench> {
    const pair = await makePair();
    const bench = new TlsBench(createRelay(options), new PairFiles(pair), pair.cert);
    bench.#url = (await bench.relay.listen({ host, port: 0, tls: bench.certificates })).url;
    bench.relay.hub.create({ name: 'c', mimeType: 'video/MP2T' });
    return bench;
  }

  /** Base URL of the channels. */
  get url(): string {
    return this.#url;
  }

  get channel(): Channel {
    return this.relay.hub.get('c')!;
  }

  /** A new connection of Node's own HTTP/2 client. */
  client(): Http2Client {
    const client = new Http2Client(this.#url, { ca: this.ca });
    this.#closers.push(() => client.close());
    return client;
  }

  /** A new connection that speaks HTTP/1.1, without ALPN. */
  async http1(): Promise<Wire> {
    const wire = await Wire.to(this.#url);
    this.#closers.push(() => wire.close());
    return wire;
  }

  /** A new HTTP/2 connection by frames. */
  async wire(): Promise<Http2Wire> {
    const wire = await Http2Wire.to(this.#url);
    this.#closers.push(() => wire.close());
    return wire;
  }

  async close(): Promise<void> {
    for (const close of this.#closers) close();
    await this.relay.close();
    this.files.remove();
  }
}
