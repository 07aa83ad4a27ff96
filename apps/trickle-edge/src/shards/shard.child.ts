/**
 * Process of one shard. It lives as long as its front: signals are the front's business, as a supervisor or a terminal sends them to the whole group,
 * and without a front it leaves at once. Nothing on standard output, log lines on standard error.
 */
import 'reflect-metadata';
import type { Socket } from 'node:net';
import { toRunnelError } from '@runnel/errors';
import { type CallMessage, type FromShard, type ToShard, toWireError } from './protocol.ts';
import { ConnectionSender } from './sender.ts';
import { collectLessOften } from '../collector.ts';
import { ShardServer } from './shard.ts';

/** How often it tells its state, in milliseconds. */
const STATE_MS = 1000;

collectLessOften();
const sender = new ConnectionSender(process);
/** How often it is looked whether the front is still there, in milliseconds. */
const WATCH_MS = 1000;

let server: ShardServer | null = null;

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});
process.on('disconnect', leave);
// Node keeps that event back while a connection is on its way to the front, which nobody will take any more.
setInterval(() => (process.connected ? undefined : leave()), WATCH_MS);
process.on('message', (message: ToShard, socket?: Socket) => void hear(message, socket));

function leave(): void {
  process.exit(1);
}

async function hear(message: ToShard, socket: Socket | undefined): Promise<void> {
  switch (message.kind) {
    case 'start':
      return start(message.start);
    case 'connection':
      if (socket === undefined) return;
      if (server === null) socket.destroy();
      else server.adopt(socket, Buffer.from(message.received));
      return;
    case 'call':
      return call(message);
  }
}

async function start(options: (ToShard & { kind: 'start' })['start']): Promise<void> {
  try {
    server = await ShardServer.start(options, { give });
    say({ kind: 'started', port: server.port, url: server.url });
    const tell = () => say({ kind: 'state', state: server!.state });
    tell();
    setInterval(tell, STATE_MS);
  } catch (error) {
    say({ kind: 'failed', error: toWireError(error) }, () => process.exit(toRunnelError(error).exitCode));
  }
}

async function call({ id, name, argument }: CallMessage): Promise<void> {
  const last = name === 'close' ? () => process.exit(0) : undefined;
  try {
    // Front and shard are of one build, so name and argument fit.
    const value: unknown = await (server![name] as (argument: unknown) => Promise<unknown>)(argument);
    say({ kind: 'reply', id, value }, last);
  } catch (error) {
    say({ kind: 'refusal', id, error: toWireError(error) }, last);
  }
}

function give(shard: number, socket: Socket, received: Buffer): void {
  sender.give({ kind: 'elsewhere', shard, received }, socket);
}

function say(message: FromShard, sent?: () => void): void {
  if (process.connected) process.send!(message, undefined, undefined, () => sent?.());
}
