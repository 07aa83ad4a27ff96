/**
 * What the generator is measured against: a relay that believes all it is sent and only passes bytes on, so that as little as possible of what is measured is
 * the server's. It knows the generator's ways (a segment's end is the end of a write) and is of no other use. Prints `{"url"}`.
 */
import { createServer } from 'node:net';

const BODY_END = Buffer.from('0\r\n\r\n');
const EMPTY_ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';

/** Segments by path; a segment: what came, whether it is whole, and who waits. */
const segments = new Map();

function segmentAt(path) {
  let segment = segments.get(path);
  if (segment === undefined) segments.set(path, (segment = { pieces: [], readers: [] }));
  return segment;
}

function read(path, socket) {
  const segment = segmentAt(path);
  const head = `HTTP/1.1 200 OK\r\nLp-Trickle-Seq: ${path.slice(path.lastIndexOf('/') + 1)}\r\nTransfer-Encoding: chunked\r\n\r\n`;
  segment.readers.push({ socket, head });
  if (segment.pieces.length === 0) return;
  socket.write(head, 'latin1');
  for (const piece of segment.pieces) socket.write(piece);
}

function relay(path, piece) {
  const segment = segmentAt(path);
  for (const { socket, head } of segment.readers) {
    if (segment.pieces.length === 0) {
      socket.cork();
      socket.write(head, 'latin1');
      socket.write(piece);
      socket.uncork();
    } else socket.write(piece);
  }
  segment.pieces.push(piece);
}

/** What is this far behind has no reader that is still to come: there is no answer for one. */
const KEPT_SEGMENTS = 100;

function forget(path) {
  const slash = path.lastIndexOf('/') + 1;
  segments.delete(`${path.slice(0, slash)}${Number(path.slice(slash)) - KEPT_SEGMENTS}`);
}

const server = createServer({ noDelay: true }, (socket) => {
  let posting = null;
  socket.on('error', () => {});
  socket.on('data', (received) => {
    let piece = received;
    if (posting === null) {
      const end = piece.indexOf('\r\n\r\n') + 4;
      const [method, path] = piece.latin1Slice(0, end).split(' ', 2);
      if (method === 'GET') return read(path, socket);
      if (method === 'DELETE' || !/\/\d+$/.test(path)) return socket.write(EMPTY_ANSWER, 'latin1');
      posting = path;
      piece = piece.subarray(end);
    }
    if (piece.length === 0) return undefined;
    relay(posting, piece);
    if (!piece.subarray(-BODY_END.length).equals(BODY_END)) return undefined;
    forget(posting);
    posting = null;
    return socket.write(EMPTY_ANSWER, 'latin1');
  });
});
server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => {
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${server.address().port}/` })}\n`);
});
