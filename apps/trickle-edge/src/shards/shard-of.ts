const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/**
 * Number of the shard that has the channel of a name, from 0 to `count` - 1. The same in every process and in every version: 32-bit FNV-1a over the
 * UTF-16 units, then the finalizer of MurmurHash3, because the low bits of FNV-1a alone repeat the pattern of names that differ in a counter.
 */
export function shardOf(channel: string, count: number): number {
  let hash = FNV_OFFSET;
  for (let at = 0; at < channel.length; at += 1) hash = Math.imul(hash ^ channel.charCodeAt(at), FNV_PRIME);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) % count;
}
