import { randomBytes } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import type { SecureContextOptions, Server, TlsOptions } from 'node:tls';
import { RunnelError } from '@runnel/errors';
import { type CertificatePair, checkPair } from './certificate-pair.ts';
import type { TlsContextSource } from './context-source.ts';

/** Where a certificate and its key are, and who is told when they change. */
export interface FileCertificatesOptions {
  /** PEM: the server's own certificate, then those that lead to its root. */
  certFile: string;
  /** PEM, without a passphrase. */
  keyFile: string;
  /** Time between two looks at the files, ms. Default 5 s; 0: only `reload` looks. */
  pollMs?: number;
  /** A new pair is in use. */
  onReload?: (pair: { fingerprint: string; validToMs: number }) => void;
  /** A new pair cannot be used, and the old one stays. `error` is `invalid_config` and names file and fault. Once per change of the files. */
  onReloadFailure?: (error: RunnelError) => void;
  /** Milliseconds since the epoch. Default the system's. */
  clock?: () => number;
}

/** Certificates from two files. */
export interface FileCertificates extends TlsContextSource {
  /** End of the validity of the certificate in use, ms since the epoch. */
  readonly validToMs: number;
  /** SHA-256 of the certificate in use. */
  readonly fingerprint: string;
  /** Reads the files now. @throws RunnelError `invalid_config`: the old pair stays in use. */
  reload(): void;
}

/** Mozilla's "intermediate": everything below has known attacks. */
const MIN_VERSION = 'TLSv1.2';

/** Protocols by ALPN (RFC 7301), best first. */
const ALPN_PROTOCOLS = ['h2', 'http/1.1'];

const DEFAULT_POLL_MS = 5000;

/** AES and HMAC keys of session tickets together, as Node wants them. */
const TICKET_KEY_BYTES = 48;

/** A stolen ticket key opens the TLS 1.2 sessions of no more than a day. */
const TICKET_KEY_MS = 24 * 60 * 60_000;

/** More than any chain of certificates has; keeps a wrong path from filling the memory. */
const MAX_FILE_BYTES = 1024 * 1024;

/**
 * Reads a certificate and its key, and exchanges them in the servers that are attached when the files change.
 *
 * Looks at the files by `stat` and not by `fs.watch`: a Kubernetes secret is a symbolic link that is turned to another directory, and a
 * rename brings another inode, and a watch stays with the old one in both cases. A change is taken up when two looks in a row see the same, so that a
 * certificate is not read while its key is still being written.
 * @throws RunnelError `invalid_config` when the pair that is there now cannot be used.
 */
export function fileCertificates(options: FileCertificatesOptions): FileCertificates {
  return new PolledCertificates(options);
}

class PolledCertificates implements FileCertificates {
  readonly options: TlsOptions;
  readonly #settings: FileCertificatesOptions;
  readonly #clock: () => number;
  readonly #servers = new Set<Server>();
  readonly #timer: NodeJS.Timeout | undefined;
  #pair: CertificatePair;
  #ticketKeys = randomBytes(TICKET_KEY_BYTES);
  #ticketKeysMs: number;
  /** What the files looked like when they were last read, and at the last look. */
  #readState: string;
  #seenState: string;

  constructor(settings: FileCertificatesOptions) {
    this.#settings = settings;
    this.#clock = settings.clock ?? Date.now;
    this.#ticketKeysMs = this.#clock();
    // The state is taken before the bytes: a change in between is seen at the next look instead of never.
    this.#readState = this.#state();
    this.#seenState = this.#readState;
    this.#pair = this.#read();
    this.options = { ...this.#context(), ALPNProtocols: ALPN_PROTOCOLS };
    const pollMs = settings.pollMs ?? DEFAULT_POLL_MS;
    if (pollMs > 0) this.#timer = setInterval(() => this.#look(), pollMs).unref();
  }

  get validToMs(): number {
    return this.#pair.validToMs;
  }

  get fingerprint(): string {
    return this.#pair.fingerprint;
  }

  attach(server: Server): void {
    this.#servers.add(server);
    server.once('close', () => this.#servers.delete(server));
    // The options that it was made with may be from before a reload.
    server.setSecureContext(this.#context());
  }

  reload(): void {
    this.#readState = this.#state();
    const pair = this.#read();
    const isNew = pair.fingerprint !== this.#pair.fingerprint || pair.cert !== this.#pair.cert || pair.key !== this.#pair.key;
    if (!isNew) return;
    this.#pair = pair;
    for (const server of this.#servers) server.setSecureContext(this.#context());
    this.#settings.onReload?.({ fingerprint: pair.fingerprint, validToMs: pair.validToMs });
  }

  close(): void {
    clearInterval(this.#timer);
    this.#servers.clear();
  }

  #look(): void {
    this.#changeTicketKeys();
    const state = this.#state();
    const settled = state === this.#seenState;
    this.#seenState = state;
    if (!settled || state === this.#readState) return;
    try {
      this.reload();
    } catch (error) {
      if (!(error instanceof RunnelError)) throw error;
      this.#settings.onReloadFailure?.(error);
    }
  }

  #changeTicketKeys(): void {
    const nowMs = this.#clock();
    if (nowMs - this.#ticketKeysMs < TICKET_KEY_MS) return;
    this.#ticketKeysMs = nowMs;
    this.#ticketKeys = randomBytes(TICKET_KEY_BYTES);
    for (const server of this.#servers) server.setTicketKeys(this.#ticketKeys);
  }

  #context(): SecureContextOptions {
    // The ticket keys outlive a reload, so that clients resume their sessions instead of all shaking hands anew.
    return {
      cert: this.#pair.cert,
      key: this.#pair.key,
      minVersion: MIN_VERSION,
      honorCipherOrder: true,
      ticketKeys: this.#ticketKeys,
    };
  }

  #read(): CertificatePair {
    const { certFile, keyFile } = this.#settings;
    return checkPair({ cert: readPem(certFile), key: readPem(keyFile), certFile, keyFile, nowMs: this.#clock() });
  }

  /** Changes whenever one of the files is exchanged or written. */
  #state(): string {
    return [this.#settings.certFile, this.#settings.keyFile].map(fileState).join(' ');
  }
}

function fileState(file: string): string {
  try {
    const { dev, ino, mtimeNs, size } = statSync(file, { bigint: true });
    return `${dev}:${ino}:${mtimeNs}:${size}`;
  } catch (error) {
    return `${(error as NodeJS.ErrnoException).code}`;
  }
}

function readPem(file: string): string {
  try {
    const { size } = statSync(file);
    if (size > MAX_FILE_BYTES) throw new RunnelError('invalid_config', { message: `${file} is too large for PEM: ${size} bytes.` });
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof RunnelError) throw error;
    throw new RunnelError('invalid_config', { message: `${file} cannot be read: ${(error as NodeJS.ErrnoException).code}.`, cause: error });
  }
}
