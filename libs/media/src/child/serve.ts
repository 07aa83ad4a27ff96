import { Lane } from './lane.ts';
import { toWireError, type Envelope } from './protocol.ts';

/** How long a child may go on after its parent is gone: enough to close a file properly. */
const ORPHAN_GRACE_MS = 2_000;

/** The child's end of the lane to its parent. */
export interface ChildPort {
  /** Tells the parent that the start has succeeded. The first `send` implies it. */
  ready(): Promise<void>;
  /** Resolves when there is room for more: wait for it. `Uint8Array`s travel as they are (copied). */
  send(message: unknown): Promise<void>;
  /** What the parent sends; ends when it asks to stop or is gone. Read once. */
  readonly messages: AsyncIterable<unknown>;
  /** Aborts when the parent asks to stop or is gone, for handlers that do not wait on `messages`. */
  readonly signal: AbortSignal;
}

/**
 * Runs `handler` as the whole life of this forked process: it is called with what `forkChild` was given as `init`, and the
 * process leaves when it is done. What it throws reaches the parent as a RunnelError with the same code: from `forkChild` before
 * `ready`, from `messages` and `exited` afterwards. `init` comes from our own parent and is trusted: name its type in the
 * handler's parameter.
 */
export function serveChild(handler: (init: never, port: ChildPort) => Promise<void>): void {
  if (process.send === undefined) throw new Error('This file is forked by its parent and does not run alone.');
  // Ctrl-C reaches the whole process group of a terminal; the parent decides when we leave.
  process.on('SIGINT', () => undefined);

  const stopping = new AbortController();
  const lane = new Lane(write);
  let readied: Promise<void> | null = null;
  const ready = (): Promise<void> => (readied ??= write({ type: 'ready' }));
  const port: ChildPort = {
    ready,
    send: async (message) => {
      await ready();
      await lane.send(message);
    },
    messages: lane.messages(),
    signal: stopping.signal,
  };

  const stop = (): void => {
    stopping.abort();
    lane.end(null);
  };
  const leave = (thrown: unknown): void => {
    write({ type: 'failed', error: toWireError(thrown) }).then(
      () => process.exit(1),
      () => process.exit(1),
    );
  };
  process.on('uncaughtException', leave);
  process.on('unhandledRejection', leave);
  process.on('disconnect', () => {
    stop();
    setTimeout(() => process.exit(1), ORPHAN_GRACE_MS);
  });
  process.on('message', (envelope: Envelope) => {
    switch (envelope.type) {
      case 'init':
        handler(envelope.init as never, port).then(() => ready().then(() => process.exit(0)), leave);
        return;
      case 'stop':
        stop();
        return;
      case 'message':
      case 'ack':
        lane.receive(envelope);
        return;
      case 'ready':
      case 'failed':
        return;
    }
  });
}

function write(envelope: Envelope): Promise<void> {
  return new Promise((resolve, reject) => {
    if (!process.connected) {
      reject(new Error('The parent process is gone.'));
      return;
    }
    process.send!(envelope, undefined, undefined, (error) => (error === null ? resolve() : reject(error)));
  });
}
