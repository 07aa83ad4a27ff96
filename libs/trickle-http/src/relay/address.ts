import { isIPv6 } from 'node:net';

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/** Groups of an IPv6 address that name its network: one customer has a /64 or more (RFC 6177). */
const PREFIX_GROUPS = 4;

/** For whom a connection counts: an IPv4 address, also where it is mapped into IPv6, or the /64 of an IPv6 address. */
export function addressKey(remoteAddress: string | undefined): string {
  if (remoteAddress === undefined) return '';
  const mapped = MAPPED.exec(remoteAddress);
  if (mapped !== null) return mapped[1];
  if (!isIPv6(remoteAddress)) return remoteAddress;
  const [address] = remoteAddress.split('%');
  const [head, tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - groups.length - last.length;
  const all = [...groups, ...Array.from({ length: Math.max(0, zeros) }, () => '0'), ...last];
  return `${all
    .slice(0, PREFIX_GROUPS)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}
