import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import type { FromShard, ToShard } from './protocol.ts';
import { refuse } from './refuse.ts';

/** Connections on their way to another process; more are refused. Node sends one at a time, each when the one before has arrived. */
const MAX_ON_THE_WAY = 1024;

/** The end of a channel between front and shard: a child process, or this one in a child. */
type Peer = Pick<ChildProcess, 'connected'> & { send?: NodeJS.Process['send'] | ChildProcess['send'] };

/** Sends connections to another process. */
export class ConnectionSender {
  readonly #peer: Peer;
  readonly #onTheWay = new Set<Socket>();

  constructor(peer: Peer) {
    this.#peer = peer;
  }

  /** Sends a connection that is detached, with a message; answers 503 when too many are on the way or the other side is gone. */
  give(message: ToShard | FromShard, socket: Socket): void {
    if (this.#onTheWay.size >= MAX_ON_THE_WAY || !this.#peer.connected) return refuse(socket);
    this.#onTheWay.add(socket);
    // Afterwards it has no handle here any more; if it could not be sent, this is its end.
    this.#peer.send!(message, socket, { keepOpen: false }, () => {
      this.#onTheWay.delete(socket);
      socket.destroy();
    });
  }

  /** The other side is gone: ends what is still on the way. */
  lost(): void {
    for (const socket of this.#onTheWay) socket.destroy();
    this.#onTheWay.clear();
  }
}
