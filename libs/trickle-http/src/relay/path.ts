/** What a path under the relay's base names (Trickle spec, Paths). Nothing in it is believed yet. */
export interface RelayPath {
  /** Capability token; empty in a relay without. */
  readonly token: string;
  readonly channel: string;
  /** What follows the channel: empty, `next`, `timeline` or a sequence number. */
  readonly tail: string;
}

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

/**
 * Splits the target of a request line under the base; the query is ignored. `outside` when it is not under the base; null when it has
 * not the form of a path that a relay knows. The channel's name is not checked: one that is no name is no channel either.
 */
export function parseRelayPath(target: string, base: string, options: { tokens: boolean }): RelayPath | 'outside' | null {
  if (!target.startsWith(base)) return 'outside';
  const query = target.indexOf('?', base.length);
  const end = query === -1 ? target.length : query;
  let at = base.length;
  let token = '';
  if (options.tokens) {
    const slash = target.indexOf('/', at);
    // A path without a token is one whose token is wrong.
    if (slash === -1 || slash >= end) return at === end ? null : { token: '', channel: target.slice(at, end), tail: '' };
    token = target.slice(at, slash);
    at = slash + 1;
  }
  const slash = target.indexOf('/', at);
  if (slash === -1 || slash >= end) return at === end ? null : { token, channel: target.slice(at, end), tail: '' };
  const more = target.indexOf('/', slash + 1);
  if (slash === at || (more !== -1 && more < end)) return null;
  return { token, channel: target.slice(at, slash), tail: target.slice(slash + 1, end) };
}
