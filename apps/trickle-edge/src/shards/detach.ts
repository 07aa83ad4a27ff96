import type { Socket } from 'node:net';
import { endsWithin } from '@runnel/service';

/** What Node keeps of a socket and does not document. */
interface Internals {
  readonly _handle: { readStop?(): number } | null;
  server: unknown;
}

/**
 * Makes a socket ready for another process: what was written is out, nothing is read from it any more, and what was read is returned together with
 * `received`. Null when the socket is gone, or does not take what was written within the deadline; then it is destroyed.
 *
 * Node sends a socket as it is: whatever would arrive between this and the moment in which the other process has it would be read here and lost, so its
 * reading has to be stopped, for which there is no public function (`pause` reads on until the stream's buffer is full).
 */
async function detach(socket: Socket, received: Buffer, { deadlineMs }: { deadlineMs: number }): Promise<Buffer | null> {
  // Without a listener a reset by the client would end the process.
  socket.on('error', () => socket.destroy());
  socket.pause();
  if (socket.writableLength > 0 && !(await endsWithin(flushed(socket), deadlineMs))) socket.destroy();
  const more = socket.read() as Buffer | null;
  if (!stopReading(socket)) {
    socket.destroy();
    return null;
  }
  return more === null ? received : Buffer.concat([received, more]);
}

/** Makes a socket ready for another process and gives it to whoever sends it there, unless it is gone. */
export function handOver(socket: Socket, received: Buffer, options: { deadlineMs: number; give: (received: Buffer) => void }): void {
  detach(socket, received, options).then(
    (all) => all !== null && options.give(all),
    () => socket.destroy(),
  );
}

/** Resolves when what was written is out, or never will be. */
function flushed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once('close', resolve);
    socket.write('', () => resolve());
  });
}

function stopReading(socket: Socket): boolean {
  const internals = socket as unknown as Internals;
  const handle = internals._handle;
  if (socket.destroyed || handle === null || typeof handle.readStop !== 'function') return false;
  handle.readStop();
  // Or both processes would keep account of it for the server that has accepted it, whose close would then wait for the other process.
  internals.server = null;
  return true;
}
