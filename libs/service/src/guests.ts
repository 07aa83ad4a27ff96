import type { FastifyInstance } from 'fastify';
import type { Server } from 'node:http';
import type { Duplex } from 'node:stream';

/** Connections that an app takes over at once; more are closed. They ask for probes, one request each. */
export const MAX_GUESTS = 256;
/** How long a connection that was taken over lives, whatever it does, in milliseconds. Node watches only those that it accepted itself. */
export const GUEST_DEADLINE_MS = 10_000;

/** Connections that another server accepted and handed over, because their request is not for it. Each gets one answer. */
export class Guests {
  readonly #server: Server;
  readonly #open = new Map<Duplex, NodeJS.Timeout>();
  #closed = false;

  constructor(server: FastifyInstance) {
    this.#server = server.server;
    server.addHook('onRequest', (request, reply, next) => {
      if (this.has(request.raw.socket)) reply.header('connection', 'close');
      next();
    });
  }

  /** Takes over a connection, paused or not, whose bytes are still to be read, and sees to its end. */
  accept(socket: Duplex): void {
    socket.on('error', () => socket.destroy());
    if (this.#closed || this.#open.size >= MAX_GUESTS || socket.destroyed) {
      socket.destroy();
      return;
    }
    const deadline = setTimeout(() => socket.destroy(), GUEST_DEADLINE_MS);
    this.#open.set(socket, deadline);
    socket.once('close', () => {
      clearTimeout(deadline);
      this.#open.delete(socket);
    });
    this.#server.emit('connection', socket);
    // Whoever hands it over has paused it, so that nothing is lost on the way.
    socket.resume();
  }

  /** Whether a connection was handed over, and not accepted by the app's own server. */
  has(socket: Duplex): boolean {
    return this.#open.has(socket);
  }

  /** Cuts those that are open and refuses others from now on. */
  close(): void {
    this.#closed = true;
    for (const socket of this.#open.keys()) socket.destroy();
  }
}
