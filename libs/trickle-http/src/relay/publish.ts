import type { Channel, ChannelWriter } from '@runnel/trickle-core';
import { HEADER, SEGMENT_GONE_STATUS, TERMINATED } from '../headers.ts';
import type { ShortAnswer } from './short-answer.ts';

/**
 * The answer to a POST whose body is complete, or whose writer the channel has let go (Trickle spec, Publish).
 * `complete`: the body has been read to its end, so that the connection can be used again. Ends the writer.
 */
export function publishAnswer(channel: Channel, writer: ChannelWriter, options: { complete: boolean }): ShortAnswer {
  const evicted = writer.released === 'evicted' && writer.bytes > 0;
  const result = writer.end();
  const headers: Record<string, string | number> = { [HEADER.seq]: result.seq };
  if (result.channelEnded) headers[HEADER.closed] = TERMINATED;
  const close = result.bytes === 0 || !options.complete;
  if (!evicted) return { status: 200, body: '', headers, close };
  headers[HEADER.latest] = channel.nextWrite;
  return { status: SEGMENT_GONE_STATUS, body: 'Segment left the window', headers, close };
}
