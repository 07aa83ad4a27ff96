import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { Module } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createLogger, MAX_GUESTS, startUnboundHttpApp, type UnboundHttpApp } from './index.ts';

@Module({})
class Root {}

const logger = createLogger({ name: 'test', level: 'silent' });
let app: UnboundHttpApp;
/** Stands for a server that looks at the first bytes of a connection and hands it over. */
let front: Server;
let port: number;
let sockets: Socket[];

beforeEach(async () => {
  app = await startUnboundHttpApp({ name: 'test', module: Root, logger, drainDeadlineMs: 1000 });
  sockets = [];
  front = createServer((socket) => {
    socket.once('data', (bytes) => {
      socket.pause();
      socket.unshift(bytes);
      app.accept(socket);
    });
  });
  front.listen(0, '127.0.0.1');
  await once(front, 'listening');
  port = (front.address() as AddressInfo).port;
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  front.close();
  await app.close();
});

async function open(text: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  sockets.push(socket);
  await once(socket, 'connect');
  socket.write(text);
  return socket;
}

async function exchange(text: string): Promise<string> {
  const socket = await open(text);
  let answer = '';
  socket.on('data', (bytes: Buffer) => (answer += bytes.toString()));
  await once(socket, 'close');
  return answer;
}

describe('An app without a port, on connections that are handed to it', () => {
  it('answers what was read before and what comes after, and closes the connection after one answer', async () => {
    const answer = await exchange('GET /livez HTTP/1.1\r\nHost: e\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    expect(answer).toMatch(/^connection: close\r$/im);
    expect(answer).toContain('{"status":"alive"}');
    expect(await exchange('GET /readyz HTTP/1.0\r\n\r\n')).toContain('"status":"ready"');
  });

  it('has no metrics for them, and problem+json for what is not there', async () => {
    for (const path of ['/metrics', '/nothing', '/metrics?x=1']) {
      const answer = await exchange(`GET ${path} HTTP/1.1\r\nHost: e\r\n\r\n`);
      expect(answer).toMatch(/^HTTP\/1\.1 404 /);
      expect(answer).toMatch(/^content-type: application\/problem\+json/im);
      expect(answer).toContain('"code":"not_found"');
    }
  });

  it('takes as many as it says, and cuts the others', async () => {
    const waiting = await Promise.all(Array.from({ length: MAX_GUESTS }, () => open('GET /livez HTTP/1.1\r\n')));
    expect(await exchange('GET /livez HTTP/1.1\r\nHost: e\r\n\r\n').catch(() => '')).toBe('');
    const answered = once(waiting[0], 'data');
    waiting[0].write('Host: e\r\n\r\n');
    expect(String((await answered)[0])).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('cuts those that are open when it closes, and takes no others', async () => {
    const waiting = await open('GET /livez HTTP/1.1\r\n');
    const gone = once(waiting, 'close');
    await app.close();
    await gone;
    const late = connect(port, '127.0.0.1');
    app.accept(late);
    expect(late.destroyed).toBe(true);
  });
});
