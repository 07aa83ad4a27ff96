import type { Ingest, IngestEnd } from '@runnel/media';
import { createPublisher } from '@runnel/trickle-http';
import type { SegmentWriter } from '@runnel/trickle-core';
import type { SourceStamp } from '../demo/latency.ts';

/** MIME type of MPEG-TS (RFC 3555). */
const TS_MIME = 'video/MP2T';

/** What `publishIngest` tells while it runs. */
export interface PublishHooks {
  onFrame?: (stamp: SourceStamp) => void;
}

/**
 * Sends what an ingest produces to a trickle channel, each segment byte by byte as it comes, and ends the channel when the
 * source ends or the signal aborts (then the segment in hand is finished whole first).
 * @throws RunnelError of the ingest (`not_video`, …) or of the channel (`channel_not_found`, `edge_unreachable`).
 */
export async function publishIngest(
  ingest: Ingest,
  channelUrl: string,
  signal: AbortSignal,
  hooks: PublishHooks = {},
): Promise<IngestEnd | null> {
  const publisher = createPublisher({ url: channelUrl, mimeType: TS_MIME });
  const stop = () => ingest.requestStop();
  signal.addEventListener('abort', stop, { once: true });
  let segment: SegmentWriter | null = null;
  let end: IngestEnd | null = null;
  try {
    if (signal.aborted) stop();
    for await (const message of ingest.messages) {
      switch (message.kind) {
        case 'bytes':
          segment ??= await publisher.open();
          await segment.write(message.data);
          break;
        case 'cut':
          await segment?.end();
          segment = null;
          break;
        case 'frame':
          hooks.onFrame?.(message);
          break;
        case 'end':
          end = message;
          break;
      }
    }
    await segment?.end();
    return end;
  } finally {
    signal.removeEventListener('abort', stop);
    await ingest.close();
    await publisher.close({ endChannel: true });
  }
}
