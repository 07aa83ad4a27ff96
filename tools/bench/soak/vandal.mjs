import { connect } from 'node:net';
import { pause } from './publisher.mjs';

/** What somebody sends who is no client, or a broken one. */
const piecesFor = (path) => [
  'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
  `GET ${path}/0 HT`,
  `POST ${path}/0 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n`,
  `POST ${path}-none/0 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n`,
  `GET ${path}/-1 HTTP/1.1\r\nHost: x\r\n\r\n`,
  `GET ${path}/99999999999999999999 HTTP/1.1\r\nHost: x\r\n\r\n`,
  `GET ${path}/next HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(9000)}\r\n\r\n`,
  '\u0016\u0003\u0001\u0000garbage\r\n\r\n',
  '',
];

/** Connects, sends something, and is gone in one way or another, over and over. */
export async function vandalize({ url, random, tally, isOver }) {
  const { hostname, port, pathname } = new URL(url);
  while (!isOver()) {
    const pieces = piecesFor(pathname);
    const socket = connect({ host: hostname, port: Number(port) });
    socket.on('error', () => {});
    if (random() < 0.7) socket.on('data', () => {});
    socket.write(pieces[Math.floor(random() * pieces.length)], 'latin1');
    await pause(random() * 400);
    const end = random();
    if (end < 0.4) socket.resetAndDestroy();
    else if (end < 0.8) socket.end();
    setTimeout(() => socket.destroy(), 500).unref();
    tally.vandals += 1;
  }
}
