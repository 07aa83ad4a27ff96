/** What a path under the relay's base names (Trickle spec, Paths). */
export type RelayPath =
  | { readonly kind: 'channel'; readonly channel: string }
  | { readonly kind: 'next'; readonly channel: string }
  /** `seq` as it stands in the URL, not yet believed. */
  | { readonly kind: 'segment'; readonly channel: string; readonly seq: string };

const CHANNEL_NAME = /^[A-Za-z0-9._~-]{1,200}$/;

/** Whether a string may name a channel: 1 to 200 unreserved characters of RFC 3986, so that it needs no escaping. */
export function isChannelName(name: string): boolean {
  return CHANNEL_NAME.test(name) && name !== '.' && name !== '..';
}

/** A base path with one slash at both ends: `/` or `/trickle/`. */
export function normalizeBase(base: string): string {
  const inner = base.replace(/^\/+|\/+$/g, '');
  return inner === '' ? '/' : `/${inner}/`;
}

/** Parses the target of a request line; the query is ignored. Null when it names nothing under the base. */
export function parseRelayPath(target: string, base: string): RelayPath | null {
  const query = target.indexOf('?');
  const path = query === -1 ? target : target.slice(0, query);
  if (!path.startsWith(base)) return null;
  const [channel, last, ...more] = path.slice(base.length).split('/');
  if (channel === undefined || more.length > 0 || !isChannelName(channel)) return null;
  if (last === undefined || last === '') return { kind: 'channel', channel };
  return last === 'next' ? { kind: 'next', channel } : { kind: 'segment', channel, seq: last };
}
