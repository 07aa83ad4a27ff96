import { RunnelError } from '@runnel/errors';
import type { OwnerDirectory } from './directory.ts';

/** All channels whose names begin with a prefix, and the edge that has them. */
export interface UpstreamEntry {
  /** Empty: every channel. */
  readonly prefix: string;
  /** Ends with a slash: a channel's URL is `baseUrl + name`. */
  readonly baseUrl: string;
  /** Whether a token stands between base URL and name. */
  readonly signed: boolean;
}

/** Settings of `staticDirectory`. */
export interface StaticDirectoryOptions {
  /** A token that lets its holder subscribe to a channel, minted for each attempt to connect. Needed where an entry is signed. */
  authorize?: (channel: string) => string;
}

/** End of the URL of an edge that wants tokens. */
const TOKEN = /\{token\}\/?$/;

const PREFIX = /^[A-Za-z0-9._~-]{1,200}$/;

/**
 * Reads a table of upstream edges: `live-=https://a/trickle/,*=https://b/trickle/`, prefix of the name and base URL, `*` for
 * every name. A URL that ends with `{token}/` is of an edge that shares the signing keys. Empty text is an empty table.
 * @throws RunnelError `invalid_config`, without the URL in it: its path may hold a secret.
 */
export function parseUpstreams(text: string): UpstreamEntry[] {
  const entries = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map(parseEntry);
  const prefixes = new Set(entries.map(({ prefix }) => prefix));
  if (prefixes.size < entries.length) {
    throw new RunnelError('invalid_config', { message: 'The table of upstream edges names a prefix twice.' });
  }
  return entries;
}

/**
 * A directory that is a table. The longest prefix of a name decides.
 * @throws RunnelError `invalid_config` when an entry is signed and there is nothing to sign with.
 */
export function staticDirectory(entries: readonly UpstreamEntry[], options: StaticDirectoryOptions = {}): OwnerDirectory {
  const longestFirst = entries.toSorted((one, other) => other.prefix.length - one.prefix.length);
  const { authorize } = options;
  if (authorize === undefined && entries.some(({ signed }) => signed)) {
    throw new RunnelError('invalid_config', {
      message: 'An upstream edge wants tokens ({token}), and this edge has no keys to sign them with.',
    });
  }
  return {
    find: async (channel) => {
      const entry = longestFirst.find(({ prefix }) => channel.startsWith(prefix));
      if (entry === undefined) return null;
      const token = () => (entry.signed ? `${authorize!(channel)}/` : '');
      return { url: () => entry.baseUrl + token() + channel };
    },
  };
}

function parseEntry(part: string, index: number): UpstreamEntry {
  const refuse = (why: string) =>
    new RunnelError('invalid_config', {
      message: `Entry ${index + 1} of the table of upstream edges ${why}.`,
      hint: 'Write prefix=URL, separated by commas; * stands for every channel.',
    });
  const equals = part.indexOf('=');
  if (equals === -1) throw refuse('has no "="');
  const name = part.slice(0, equals).trim();
  if (name !== '*' && !PREFIX.test(name)) throw refuse('has a prefix that no channel can have');
  const text = part.slice(equals + 1).trim();
  const url = URL.parse(text.replace(TOKEN, ''));
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) throw refuse('has no http or https URL');
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw refuse('has a URL with more than scheme, host and path');
  }
  return {
    prefix: name === '*' ? '' : name,
    baseUrl: url.href.endsWith('/') ? url.href : `${url.href}/`,
    signed: TOKEN.test(text),
  };
}
