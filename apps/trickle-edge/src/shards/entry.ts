/** The compiled file of a shard's process, also for a front that runs from its source (tests), as a plain Node cannot resolve our sources. */
export function shardEntry(): URL {
  const entry = new URL('./shard.child.js', import.meta.url);
  if (!import.meta.url.endsWith('.ts')) return entry;
  return new URL(entry.href.replace(/\/src\/(?=shards\/[^/]*$)/, '/dist/'));
}
