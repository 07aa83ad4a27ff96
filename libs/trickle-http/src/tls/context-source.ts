import type { Server, TlsOptions } from 'node:tls';

/** Where a TLS server has its certificate from, at its start and while it runs. */
export interface TlsContextSource {
  /** For `tls.createServer`; with ALPN `h2` before `http/1.1`. */
  readonly options: TlsOptions;
  /** From now on the server gets every new certificate by `setSecureContext`; connections that are open keep the old one. */
  attach(server: Server): void;
  /** Stops looking for new certificates. Idempotent. */
  close(): void;
}
