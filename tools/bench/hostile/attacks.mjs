import { randomBytes } from 'node:crypto';

/** Sends a text a byte at a time until the connection is gone. */
function dribble(socket, text, everyMs) {
  let at = 0;
  const timer = setInterval(() => {
    socket.write(text[at % text.length], 'latin1');
    at += 1;
  }, everyMs);
  socket.once('close', () => clearInterval(timer));
}

const HOST = 'Host: x\r\n';
const POST = (path) => `POST ${path} HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`;

/**
 * What is done to the edge, each on a connection of its own. `base` is the edge's path, `victim` the path of a channel that others use, `own` one of an
 * attacker's. Each costs the attacker about as much as the edge: what many may ask of a channel that they are allowed to read is not the point here. An attack goes on until the edge ends the connection, or for the time that the caller gives it.
 */
export const ATTACKS = {
  silent: () => {},
  'slow-headers': (socket, { victim }) => dribble(socket, `GET ${victim}/0 HTTP/1.1\r\n${HOST}X: ${'a'.repeat(500)}`, 900),
  'slow-body': (socket, { own }) => {
    socket.write(POST(`${own}/-1`));
    dribble(socket, '1\r\nx\r\n', 700);
  },
  'empty-lines': (socket) => dribble(socket, '\r\n', 500),
  garbage: (socket) => socket.write(randomBytes(2000)),
  'garbage-forever': (socket) => {
    const timer = setInterval(() => socket.write(randomBytes(500)), 200);
    socket.once('close', () => clearInterval(timer));
  },
  'giant-header': (socket, { victim }) => socket.write(`GET ${victim}/next HTTP/1.1\r\n${HOST}X: ${'a'.repeat(60_000)}\r\n\r\n`),
  'giant-target': (socket, { victim }) => socket.write(`GET ${victim}/${'a'.repeat(60_000)} HTTP/1.1\r\n${HOST}\r\n`),
  'header-of-spaces': (socket, { victim }) =>
    socket.write(`GET ${victim}/next HTTP/1.1\r\n${HOST}X:${' '.repeat(8000)}\u0000\r\n\r\n`, 'latin1'),
  'many-headers': (socket, { victim }) => socket.write(`GET ${victim}/next HTTP/1.1\r\n${HOST}${'A:b\r\n'.repeat(1500)}\r\n`),
  'bad-chunk-size': (socket, { own }) => socket.write(`${POST(`${own}/-1`)}fffffffff\r\n`),
  'huge-chunk-size': (socket, { own }) => socket.write(`${POST(`${own}/-1`)}ffffffff\r\n`),
  'endless-chunk-extension': (socket, { own }) => socket.write(`${POST(`${own}/-1`)}1;${'a'.repeat(5000)}`),
  'tiny-chunks': (socket, { own }) => socket.write(`${POST(`${own}/-1`)}${'00000001\r\nx\r\n'.repeat(4000)}`),
  'length-and-chunked': (socket, { own }) =>
    socket.write(`POST ${own}/0 HTTP/1.1\r\n${HOST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`),
  'strange-numbers': (socket, { victim }) => {
    const numbers = [
      '-99999999999999999999',
      '9007199254740992',
      '9007199254740991',
      '-0',
      '1e9',
      '0x10',
      '-9007199254740991',
      '18446744073709551615',
    ];
    for (const seq of numbers) socket.write(`GET ${victim}/${seq} HTTP/1.1\r\n${HOST}\r\nDELETE ${victim}/${seq} HTTP/1.1\r\n${HOST}\r\n`);
  },
  'strange-posts': (socket, { victim }) => socket.write(POST(`${victim}/9007199254740991`)),
  'strange-paths': (socket, { base, victim }) => {
    const paths = [
      `${base}../../etc/passwd`,
      `${base}%2e%2e/x`,
      `${base}${'a/'.repeat(200)}`,
      `${base}__proto__/0`,
      `${base}constructor`,
      `${victim}//0`,
      `${victim}/0/../1`,
    ];
    for (const path of paths) socket.write(`GET ${path} HTTP/1.1\r\n${HOST}\r\n`);
  },
  'reader-that-does-not-read': (socket, { victim }) => {
    socket.pause();
    socket.write(`GET ${victim}/-1 HTTP/1.1\r\n${HOST}\r\n`.repeat(3));
  },
  'answers-not-read': (socket, { victim }) => {
    socket.pause();
    socket.write(`GET ${victim}/next HTTP/1.1\r\n${HOST}\r\n`.repeat(100));
  },
  'readers-of-nothing': (socket, { own }) => socket.write(`GET ${own}/0 HTTP/1.1\r\n${HOST}\r\n`),
  'gone-at-once': (socket, { victim }) => {
    socket.write(`GET ${victim}/-1 HTTP/1.1\r\n${HOST}\r\n`);
    setTimeout(() => socket.resetAndDestroy(), 30);
  },
};
