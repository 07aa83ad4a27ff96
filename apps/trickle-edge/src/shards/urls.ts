import { RunnelError } from '@runnel/errors';
import type { TrickleEdgeConfig } from '../config.ts';

/** What decides on the URLs of the shards. */
type UrlConfig = Pick<
  TrickleEdgeConfig,
  'EDGE_SHARDS' | 'EDGE_SHARD_URLS' | 'EDGE_SHARD_PORT' | 'EDGE_PUBLIC_URL' | 'EDGE_PORT' | 'EDGE_TLS_CERT_FILE'
>;

/** Stands for the URL of the address on which a shard listens, which only it knows. */
export const LISTENING_URL = 'listening';

/** `EDGE_SHARD_URLS` that keeps clients on the plain address. */
const PLAIN = 'plain';

/**
 * What each shard tells clients of its address: a base URL with a slash at its end, `LISTENING_URL`, or null for none: then
 * clients are told the plain address, and every new connection passes the front.
 *
 * Without `EDGE_SHARD_URLS` it is: the listening address, where there is no public URL; beside the public URL by port, where that names the port of this edge
 * and the shards have fixed ports; none in every other case, as a proxy stands in front then that knows nothing of shards.
 * @throws RunnelError `invalid_config`.
 */
export function shardUrls(config: UrlConfig): (string | null)[] {
  const { EDGE_SHARDS: count, EDGE_SHARD_URLS: given, EDGE_PUBLIC_URL: publicUrl } = config;
  const indexes = Array.from({ length: count }, (_, index) => index);
  if (given === PLAIN) return indexes.map(() => null);
  if (given !== undefined) return listed(given, count);
  if (publicUrl === undefined) return indexes.map(() => LISTENING_URL);
  const port = config.EDGE_SHARD_PORT;
  if (port === undefined || !namesOwnPort(new URL(publicUrl), config)) return indexes.map(() => null);
  return indexes.map((index) => {
    const url = new URL(publicUrl);
    url.port = String(port + index);
    return withSlash(url.href);
  });
}

function listed(given: string, count: number): string[] {
  const urls = given.split(',').map((url) => url.trim());
  if (urls.length !== count || !urls.every((url) => URL.canParse(url) && /^https?:/.test(url))) {
    throw new RunnelError('invalid_config', {
      message: `EDGE_SHARD_URLS must be '${PLAIN}' or ${count} base URLs with commas between them, one for each shard.`,
    });
  }
  return urls.map(withSlash);
}

function namesOwnPort(url: URL, { EDGE_PORT: port, EDGE_TLS_CERT_FILE: certificate }: UrlConfig): boolean {
  const scheme = certificate === undefined ? 'http:' : 'https:';
  const named = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
  return url.protocol === scheme && named === port;
}

function withSlash(url: string): string {
  return url.endsWith('/') ? url : `${url}/`;
}
