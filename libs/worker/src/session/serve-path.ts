import type { FramePath } from '../path/frame-path.ts';
import type { PathOutput, PathSink } from '../path/outputs.ts';
import type { PathInput } from './messages.ts';

/** The child's end of a path port: `ChildPort` of @runnel/media fits. */
export interface ServedPort {
  ready(): Promise<void>;
  send(output: PathOutput): Promise<void>;
  /** Ends when the path is to stop. */
  readonly messages: AsyncIterable<PathInput>;
  /** Aborts then, also while a message waits for room. */
  readonly signal: AbortSignal;
}

/**
 * Runs a frame path on a port until the other side asks to stop: the whole life of a worker's child process.
 * @throws RunnelError what `start` throws.
 */
export async function servePath(port: ServedPort, start: (sink: PathSink) => Promise<FramePath>): Promise<void> {
  let tail = Promise.resolve();
  const sink: PathSink = (output) => {
    tail = tail
      .then(() => port.send(output))
      // The other side is gone, and the end of `messages` says so.
      .catch(() => undefined);
    return tail;
  };
  const path = await start(sink);
  await port.ready();
  const stopped: Promise<void>[] = [];
  const stop = (): void => {
    stopped.push(path.stop());
  };
  port.signal.addEventListener('abort', stop, { once: true });
  for await (const input of port.messages) await take(path, input);
  stop();
  await Promise.all(stopped);
  await tail;
}

/** Backpressure is the point of waiting here: the next message is read when there is room. */
async function take(path: FramePath, input: PathInput): Promise<void> {
  switch (input.kind) {
    case 'bytes':
      await path.push(input.data, input.receivedMs);
      return;
    case 'discontinuity':
      path.discontinuity();
      return;
    case 'params':
      path.updateParams(input);
      return;
    case 'end':
      await path.endOfInput();
      return;
  }
}
