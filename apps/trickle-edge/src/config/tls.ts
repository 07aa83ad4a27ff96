import { z } from 'zod';

/** TLS on the port of the relay (Trickle spec, TLS). */
export const TLS = {
  EDGE_TLS_CERT_FILE: z
    .string()
    .optional()
    .describe(
      'PEM file with the certificate and those that lead to its root. With it and EDGE_TLS_KEY_FILE the relay speaks TLS, HTTP/2 included, and nothing else; both are read again when they change and on SIGHUP.',
    ),
  EDGE_TLS_KEY_FILE: z.string().optional().describe('PEM file with the key of the certificate, without a passphrase.'),
};
