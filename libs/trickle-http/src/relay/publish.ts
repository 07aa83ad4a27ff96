import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { type Channel, NEXT, parseSequence, type ChannelWriter } from '@runnel/trickle-core';
import { HEADER, TERMINATED } from '../headers.ts';
import { answer, answerError, STREAM_NOT_FOUND } from './answer.ts';
import type { RelayContext } from './context.ts';

const CLOSE = { Connection: 'close' };

/** `POST {base}{channel}/{seq}`: a segment whose body streams in (Trickle spec, Publish). */
export function handlePublish(
  relay: RelayContext,
  req: IncomingMessage,
  res: ServerResponse,
  path: { channel: string; seq: string },
): void {
  let channel = relay.hub.get(path.channel);
  if (channel === undefined && relay.creation !== 'auto') return answer(res, 404, STREAM_NOT_FOUND, CLOSE);
  const seq = parseSequence(path.seq);
  if (seq === null || seq < NEXT) return answer(res, 400, 'Invalid sequence number', CLOSE);
  let writer: ChannelWriter;
  try {
    channel ??= relay.hub.create({ name: path.channel, mimeType: req.headers['content-type'] ?? relay.defaultMimeType });
    // An empty value means no reset, as for a peer that cannot leave a header out.
    writer = channel.write(seq, { reset: Boolean(req.headers[HEADER.reset.toLowerCase()]) });
  } catch (error) {
    return answerError(res, error, CLOSE);
  }
  receive(relay, channel, writer, req, res);
}

/** Moves the body into the segment; the answer comes at its end, or when the channel lets the writer go. */
function receive(relay: RelayContext, channel: Channel, writer: ChannelWriter, req: IncomingMessage, res: ServerResponse): void {
  relay.keepAwake.add(res);
  const finish = () => {
    relay.keepAwake.delete(res);
    const evicted = writer.released === 'evicted' && writer.bytes > 0;
    const result = writer.end();
    const headers: OutgoingHttpHeaders = { [HEADER.seq]: result.seq };
    if (result.channelEnded) headers[HEADER.closed] = TERMINATED;
    if (result.bytes === 0 || !req.complete) headers.Connection = 'close';
    if (evicted) answer(res, 470, 'Segment left the window', { ...headers, [HEADER.latest]: channel.nextWrite });
    else answer(res, 200, '', headers);
  };
  writer.observer = { released: finish, turn: () => {} };
  req.on('data', (chunk: Buffer) => {
    if (writer.bytes === 0) relay.keepAwake.delete(res);
    // After a release the answer is out, and what still comes has no place.
    if (writer.released !== null) return;
    try {
      writer.write(chunk);
    } catch (error) {
      writer.abort();
      answerError(res, error, CLOSE);
    }
  });
  req.on('end', finish);
  req.on('close', () => {
    relay.keepAwake.delete(res);
    if (!req.complete) writer.abort();
  });
  // The close that follows says the same.
  req.on('error', () => {});
}
