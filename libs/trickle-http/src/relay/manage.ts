import type { IncomingMessage, ServerResponse } from 'node:http';
import { channelMetadata, parseSequence } from '@runnel/trickle-core';
import { HEADER } from '../headers.ts';
import { answer, answerError, STREAM_NOT_FOUND } from './answer.ts';
import type { RelayContext } from './context.ts';

/** `POST {base}{channel}`: makes a channel with the MIME type of `Expect-Content`; harmless when it is there (Trickle spec, Create). */
export function handleCreate(relay: RelayContext, req: IncomingMessage, res: ServerResponse, name: string): void {
  if (relay.hub.get(name) === undefined) {
    if (relay.creation === 'off') return answer(res, 404, STREAM_NOT_FOUND);
    const expected = req.headers[HEADER.expectContent.toLowerCase()];
    try {
      relay.hub.create({ name, mimeType: typeof expected === 'string' && expected !== '' ? expected : relay.defaultMimeType });
    } catch (error) {
      return answerError(res, error);
    }
  }
  answer(res, 200, '');
}

/** `GET {base}{channel}`: metadata as JSON (Trickle spec, Metadata). */
export function handleMetadata(relay: RelayContext, res: ServerResponse, name: string): void {
  const channel = relay.hub.get(name);
  if (channel === undefined) return answer(res, 404, STREAM_NOT_FOUND);
  answer(res, 200, JSON.stringify(channelMetadata(channel)), { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' });
}

/** `GET {base}{channel}/next`: the next write (Trickle spec, Next). */
export function handleNext(relay: RelayContext, res: ServerResponse, name: string): void {
  const channel = relay.hub.get(name);
  if (channel === undefined) return answer(res, 404, STREAM_NOT_FOUND);
  answer(res, 200, String(channel.nextWrite), { [HEADER.latest]: channel.nextWrite });
}

/** `DELETE {base}{channel}`: ends the channel; answered when it has ended (Trickle spec, End). */
export function handleEnd(relay: RelayContext, res: ServerResponse, name: string): void {
  const channel = relay.hub.get(name);
  if (channel === undefined) return answer(res, 400, 'Invalid stream');
  const unlisten = channel.onEnd(() => answer(res, 200, ''));
  res.on('close', unlisten);
  channel.end({ drainMs: relay.endDrainMs });
}

/** `DELETE {base}{channel}/{seq}`: closes one segment (Trickle spec, Close a segment). */
export function handleCloseSegment(relay: RelayContext, res: ServerResponse, path: { channel: string; seq: string }): void {
  const channel = relay.hub.get(path.channel);
  if (channel === undefined) return answer(res, 404, STREAM_NOT_FOUND);
  const seq = parseSequence(path.seq);
  if (seq === null || seq < 0) return answer(res, 400, 'Invalid sequence number');
  if (!channel.closeSegment(seq)) return answer(res, 400, 'Nonexistent segment');
  answer(res, 200, '');
}
