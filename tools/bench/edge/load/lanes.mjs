import { Http1Lane } from './http1-lane.mjs';
import { Http2Lane, Http2Session } from './http2-lane.mjs';

/**
 * The lanes of one client: what it has an exchange on at a time. Over HTTP/1.1 each is a connection, over HTTP/2 a stream of the client's one connection.
 *
 * A lane has `open()`, `begin(kind, seq)` (a request: `create`, `remove`, `post`, `get`), `write(frame)` (a write of the POST's body, see `framesOf`) and `stop()`.
 * `idle` is whether no exchange is under way, `seq` and `position` are the segment of the exchange and its owner's place in the body.
 * The owner is told `head(lane, { status, seq, latest })`, `body(lane, buffer, start, end)`, `end(lane)` and, when an exchange breaks, `broken(lane)`;
 * after the last two the lane is idle.
 */
export function createLanes({ count, target, paths, owner, totals }) {
  if (target.protocol !== 'h2') return Array.from({ length: count }, () => new Http1Lane({ target, paths, owner, totals }));
  const session = new Http2Session({ target, totals });
  return Array.from({ length: count }, () => new Http2Lane({ session, paths, owner }));
}

/**
 * One buffer a write, with its chunk frame around the place of the payload; the last one also ends the body (RFC 9112, 7.1). `payloadAt` and `payloadEnd`
 * are the place, `last` whether it is the last.
 */
export function framesOf({ writeBytes, writes }) {
  const before = `${writeBytes.toString(16)}\r\n`;
  return Array.from({ length: writes }, (_, write) => {
    const last = write === writes - 1;
    const after = last ? '\r\n0\r\n\r\n' : '\r\n';
    const frame = Buffer.alloc(before.length + writeBytes + after.length);
    frame.write(before, 0, 'latin1');
    frame.write(after, before.length + writeBytes, 'latin1');
    return Object.assign(frame, { payloadAt: before.length, payloadEnd: before.length + writeBytes, last });
  });
}
