import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { type Channel, parseSequence, type ReadAnswer, type SegmentReader } from '@runnel/trickle-core';
import { HEADER, SEGMENT_GONE_STATUS, TERMINATED } from '../headers.ts';
import { answer, answerError, STREAM_NOT_FOUND } from './answer.ts';
import type { RelayContext } from './context.ts';

/** `GET {base}{channel}/{seq}`: waits for the first byte, then streams (Trickle spec, Subscribe). */
export function handleSubscribe(relay: RelayContext, res: ServerResponse, path: { channel: string; seq: string }): void {
  const channel = relay.hub.get(path.channel);
  if (channel === undefined) return answer(res, 404, STREAM_NOT_FOUND);
  const target = parseSequence(path.seq);
  if (target === null) return answer(res, 400, 'Invalid sequence number');
  let found: ReadAnswer;
  try {
    found = channel.read(target);
  } catch (error) {
    return answerError(res, error);
  }
  if (found.kind === 'ended') return answer(res, 404, STREAM_NOT_FOUND);
  if (found.kind === 'gone') {
    return answer(res, SEGMENT_GONE_STATUS, 'Segment not in the window', { [HEADER.latest]: found.latest, [HEADER.seq]: found.seq });
  }
  new SegmentSender(relay, channel, found.reader, res).send();
}

/** Sends one segment to one reader at the reader's own pace: what the socket does not take stays in the segment. */
class SegmentSender {
  readonly #relay: RelayContext;
  readonly #channel: Channel;
  readonly #reader: SegmentReader;
  readonly #res: ServerResponse;
  /** The socket's buffer is full: nothing more is taken from the segment until it has drained (Trickle spec, 4.8). */
  #blocked = false;
  #done = false;

  constructor(relay: RelayContext, channel: Channel, reader: SegmentReader, res: ServerResponse) {
    this.#relay = relay;
    this.#channel = channel;
    this.#reader = reader;
    this.#res = res;
    reader.observer = { segmentChanged: () => this.send() };
    res.on('drain', () => {
      this.#blocked = false;
      this.send();
    });
    res.on('close', () => this.#leave());
  }

  send(): void {
    // Called on each change of the segment and each drain of the socket, so it has to find out by itself what there is to do.
    if (this.#done || !this.#reader.ready) return;
    if (this.#reader.end === 'evicted') return this.#evicted();
    while (!this.#blocked) {
      const chunk = this.#reader.next();
      if (chunk === null) break;
      if (!this.#res.headersSent) this.#res.writeHead(200, this.#segmentHeaders());
      for (const payload of chunk.payloads) this.#blocked = !this.#res.write(payload);
    }
    const end = this.#reader.end;
    switch (end) {
      case null:
        return;
      case 'cut':
        return this.#reset();
      case 'closed':
        this.#leave();
        if (this.#reader.segment.bytes > 0) this.#res.end();
        else this.#endEmpty();
    }
  }

  #segmentHeaders(): OutgoingHttpHeaders {
    const { segment, latest, heldBytes } = this.#reader;
    const headers: OutgoingHttpHeaders = {
      [HEADER.seq]: segment.seq,
      [HEADER.size]: heldBytes === 0 ? segment.bytes : heldBytes,
      'Content-Type': this.#channel.mimeType,
    };
    // Both as they were when the GET came (Trickle spec, 4.2): the reader has kept them.
    if (segment.seq !== latest) headers[HEADER.latest] = latest;
    if (heldBytes > 0) headers[HEADER.age] = Math.max(0, Math.round(this.#relay.hub.clock() - (segment.firstByteMs ?? segment.createdMs)));
    return headers;
  }

  #evicted(): void {
    // Bytes are lost to this reader: it must not take what it has for the whole (4.8). Without any, it has missed nothing (4.5).
    if (this.#reader.segment.bytes > 0) return this.#reset();
    this.#leave();
    this.#endEmpty();
  }

  #endEmpty(): void {
    const headers: OutgoingHttpHeaders = { [HEADER.seq]: this.#reader.segment.seq, [HEADER.latest]: this.#channel.nextWrite };
    if (this.#channel.ended) headers[HEADER.closed] = TERMINATED;
    answer(this.#res, 200, '', headers);
  }

  /**
   * Ends so that no client can take the segment for whole. What was written goes out first: a reset drops what is still queued.
   */
  #reset(): void {
    const wasEvicted = this.#reader.segment.end === 'evicted';
    this.#leave();
    const { socket } = this.#res;
    if (socket === null) {
      // Its turn on a pipelined connection has not come.
      this.#res.destroy();
      return;
    }
    if (wasEvicted) {
      socket.resetAndDestroy();
      return;
    }
    if (!this.#res.headersSent) this.#res.writeHead(200, this.#segmentHeaders());
    socket.write('', () => socket.resetAndDestroy());
  }

  #leave(): void {
    if (this.#done) return;
    this.#done = true;
    this.#reader.close();
  }
}
