import { NEXT } from './sequence.ts';
import type { Hub } from './hub.ts';

/** Name of the channel that tells which channels come and go. */
export const CHANGES_CHANNEL = '_changes';

/**
 * Makes the channel `_changes` and writes a JSON segment `{"added":[name]}` or `{"removed":[name]}` for every other channel
 * (Trickle spec, Changes). Returns the function that stops it.
 */
export function publishChanges(hub: Hub): () => void {
  const changes = hub.create({ name: CHANGES_CHANNEL, mimeType: 'application/json', readOnly: true });
  const encoder = new TextEncoder();
  return hub.onChange(({ kind, channel }) => {
    if (channel === changes || changes.ended) return;
    const writer = changes.write(NEXT);
    writer.write(encoder.encode(JSON.stringify({ [kind]: [channel.name] })));
    writer.end();
  });
}
