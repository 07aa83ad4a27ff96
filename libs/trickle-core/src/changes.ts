import { NEXT } from './sequence.ts';
import type { Hub } from './hub.ts';

/** Name of the channel that tells which channels come and go. */
export const CHANGES_CHANNEL = '_changes';

/** Changes that wait until the relay has space for them again, at most. */
const MAX_UNTOLD = 1000;

/**
 * Makes the channel `_changes` and writes a JSON segment `{"added":[name]}` or `{"removed":[name]}` for every other channel
 * (Trickle spec, Changes). Where the relay has no space for one, it and those after it are told in their order when the next comes; when
 * too many wait, the channel ends, so that nobody takes what is missing for silence. Returns the function that stops it.
 */
export function publishChanges(hub: Hub): () => void {
  const changes = hub.create({ name: CHANGES_CHANNEL, mimeType: 'application/json', readOnly: true });
  const encoder = new TextEncoder();
  const untold: Uint8Array[] = [];
  return hub.onChange(({ kind, channel }) => {
    if (channel === changes || changes.ended || changes.draining) return;
    untold.push(encoder.encode(JSON.stringify({ [kind]: [channel.name] })));
    try {
      for (let next = untold[0]; next !== undefined; next = untold[0]) {
        const writer = changes.write(NEXT);
        writer.write(next);
        writer.end();
        untold.shift();
      }
    } catch {
      // This runs inside the creation or the end of another channel, which must not fail for it.
      if (untold.length > MAX_UNTOLD) changes.end();
    }
  });
}
