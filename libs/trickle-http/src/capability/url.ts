import { isChannelName } from '../relay/path.ts';
import { inspectToken } from './token.ts';

/** URL of a channel: `{base}{channel}`, with a token `{base}{token}/{channel}`. The base ends with a slash. */
export function channelUrl({ base, channel, token }: { base: string; channel: string; token: string | null }): string {
  return token === null ? base + channel : `${base}${token}/${channel}`;
}

/** Finds token and channel in a capability URL, whatever the base is and whatever follows the channel. Null when it holds none. */
export function parseCapabilityUrl(url: string): { token: string; channel: string } | null {
  const segments = URL.parse(url)?.pathname.split('/') ?? [];
  const at = segments.findIndex((segment) => inspectToken(segment) !== null);
  const channel = at === -1 ? undefined : segments[at + 1];
  return channel === undefined || !isChannelName(channel) ? null : { token: segments[at], channel };
}
