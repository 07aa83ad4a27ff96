import type { Socket } from 'node:net';

const ANSWER = 'HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n';

/** Answers a connection whose shard is not there, or takes no more now, and ends it. */
export function refuse(socket: Socket): void {
  socket.on('error', () => {});
  socket.end(ANSWER);
  socket.destroySoon();
}
