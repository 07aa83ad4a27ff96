import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RunnelError } from '@runnel/errors';

/** Pending connections that the kernel keeps. */
const BACKLOG = 4096;

/** Where a shard takes what others have decrypted: a Unix socket in a directory that only this user may enter. */
export function innerPath(directory: string, shard: number): string {
  return join(directory, `${shard}.sock`);
}

/** Makes the directory of the inner sockets; `remove` takes it away with all in it. */
export async function makeInnerDirectory(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'runnel-edge-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** Listens on the inner socket of a shard. @throws RunnelError `invalid_config` when the directory is gone or its path too long. */
export async function listenInner(path: string, accept: (socket: Socket) => void): Promise<Server> {
  // Of the process before, if that was killed.
  await rm(path, { force: true });
  const server = createServer(accept);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      reject(new RunnelError('invalid_config', { message: `Cannot listen on ${path}: ${cause.message}`, cause }));
    });
    server.listen({ path, backlog: BACKLOG }, resolve);
  });
  return server;
}
