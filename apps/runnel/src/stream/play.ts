import type { Gap } from '@runnel/trickle-core';
import { createSubscriber } from '@runnel/trickle-http';

/** How a channel is read. */
export interface PlayOptions {
  /** Where to begin: 0 for everything still there, `current` for the live edge. */
  start: 'current' | number;
  signal: AbortSignal;
  /** Gets the bytes in order, as they arrive; awaited, so that a slow sink slows the reading. */
  onBytes: (bytes: Uint8Array) => Promise<void>;
  /** Gets what was missed: segments that left the window, or the rest of a cut one. */
  onGap: (gap: Pick<Gap, 'from' | 'to'> & { reason: string }) => void;
}

/** What `playChannel` read. */
export interface PlayResult {
  segments: number;
  bytes: number;
}

/** Reads a channel to its end, or until the signal aborts. @throws RunnelError `channel_not_found`, `edge_unreachable`. */
export async function playChannel(channelUrl: string, options: PlayOptions): Promise<PlayResult> {
  const subscriber = createSubscriber({ url: channelUrl, start: options.start });
  const close = () => subscriber.close();
  const result: PlayResult = { segments: 0, bytes: 0 };
  let closing: Promise<void> | null = null;
  const onAbort = () => {
    closing = close();
  };
  options.signal.addEventListener('abort', onAbort, { once: true });
  try {
    if (options.signal.aborted) return result;
    for (let next = await subscriber.next(); next !== null; next = await subscriber.next()) {
      if (next.kind === 'gap') {
        options.onGap(next);
        continue;
      }
      result.segments += 1;
      try {
        for await (const bytes of next.bytes) {
          result.bytes += bytes.byteLength;
          await options.onBytes(bytes);
        }
      } catch (error) {
        if (options.signal.aborted) break;
        if (!isCut(error)) throw error;
        options.onGap({ from: next.seq, to: next.seq + 1, reason: 'cut' });
      }
    }
    return result;
  } finally {
    options.signal.removeEventListener('abort', onAbort);
    await (closing ?? close());
  }
}

function isCut(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'segment_cut';
}
