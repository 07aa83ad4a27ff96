import { toRunnelError } from '@runnel/errors';
import type { Logger } from '@runnel/service';
import { type FileCertificates, fileCertificates } from '@runnel/trickle-http';
import type { TrickleEdgeConfig } from './config.ts';

/** The certificates that an edge speaks TLS with. */
export interface EdgeCertificates {
  readonly source: FileCertificates;
  /** Reads the files now. Never throws: what is wrong with them is logged, and the pair before stays. */
  reload(): void;
}

/**
 * Opens the certificates; null when the relay speaks no TLS. Whoever opens them closes the source.
 * @throws RunnelError `invalid_config` when they cannot be used.
 */
export function openCertificates({ config, logger }: { config: TrickleEdgeConfig; logger: Logger }): EdgeCertificates | null {
  const { EDGE_TLS_CERT_FILE: certFile, EDGE_TLS_KEY_FILE: keyFile } = config;
  if (certFile === undefined || keyFile === undefined) return null;
  const refuse = (error: unknown) => {
    logger.error({ reason: toRunnelError(error).message }, 'the new certificate cannot be used: the one before stays');
  };
  const source = fileCertificates({
    certFile,
    keyFile,
    onReload: ({ fingerprint, validToMs }) => logger.info({ fingerprint, validTo: iso(validToMs) }, 'certificate exchanged'),
    onReloadFailure: refuse,
  });
  logger.info({ fingerprint: source.fingerprint, validTo: iso(source.validToMs) }, 'certificate in use');
  const reload = () => {
    try {
      source.reload();
    } catch (error) {
      refuse(error);
    }
  };
  return { source, reload };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
