import type { Channel, ChannelWriter } from '@runnel/trickle-core';
import type { SegmentBody } from '../client/segment-body.ts';

/**
 * Moves the body of an upstream answer into a segment of the mirror, each piece as it comes. What is cut upstream is cut here; of
 * what broke before its first byte, readers learn that they have missed it. Returns whether the segment is whole. Never rejects.
 */
export async function copySegment(channel: Channel, seq: number, body: SegmentBody): Promise<boolean> {
  let writer: ChannelWriter | null = null;
  try {
    writer = channel.write(seq);
    // Let go of here (it left the window, the channel ended): the rest need not come over the network.
    writer.observer = { released: () => body.destroy(), turn: () => {} };
    for await (const piece of body.read(seq)) writer.write(piece);
    writer.end();
    return true;
  } catch {
    body.destroy();
    writer?.abort();
    if ((writer === null || writer.bytes === 0) && !channel.ended) channel.skipTo(seq + 1);
    return false;
  }
}
