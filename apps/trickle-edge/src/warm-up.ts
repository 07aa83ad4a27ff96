import type { Logger } from '@runnel/service';
import { createPublisher, createRelay, createSubscriber } from '@runnel/trickle-http';

/** Streams side by side, bytes of a piece and pieces of a segment: what a few small live streams do, many times as fast. */
const STREAMS = 4;
const PIECE_BYTES = 2048;
const PIECES = 4;
const MIME_TYPE = 'application/octet-stream';

/**
 * Relays to itself for a while, on a relay of its own that nobody else reaches, so that the engine has compiled the code which the
 * first streams run through. Ends early when the signal aborts. Resolves with the number of segments.
 */
export async function warmUp({ ms, signal }: { ms: number; signal: AbortSignal }): Promise<number> {
  const relay = createRelay();
  try {
    const { url } = await relay.listen({ host: '127.0.0.1', port: 0 });
    const untilMs = performance.now() + ms;
    const goOn = () => performance.now() < untilMs && !signal.aborted;
    const streams = Array.from({ length: STREAMS }, (_, index) => {
      const { name } = relay.hub.create({ name: `warm-up-${index}`, mimeType: MIME_TYPE });
      return relayStream(url + name, goOn);
    });
    return (await Promise.all(streams)).reduce((sum, segments) => sum + segments, 0);
  } finally {
    await relay.close();
  }
}

/** Warms up beside whatever comes meanwhile. Returns what stops it and waits for its end. */
export function startWarmUp({ ms, logger, onEnd }: { ms: number; logger: Logger; onEnd: () => void }): () => Promise<void> {
  if (ms === 0) return async () => {};
  const stop = new AbortController();
  const ended = warmUp({ ms, signal: stop.signal })
    .then((segments) => logger.debug({ segments }, 'warm'))
    .catch((err: unknown) => logger.warn({ err }, 'the warm-up failed: the first streams meet cold code'))
    .then(onEnd);
  return () => {
    stop.abort();
    return ended;
  };
}

/** Sends segments and reads each back. */
async function relayStream(url: string, goOn: () => boolean): Promise<number> {
  const publisher = createPublisher({ url, mimeType: MIME_TYPE });
  const subscriber = createSubscriber({ url, start: 0 });
  let segments = 0;
  try {
    for (; goOn(); segments += 1) {
      const writer = await publisher.open();
      for (let piece = 0; piece < PIECES; piece += 1) await writer.write(new Uint8Array(PIECE_BYTES));
      await writer.end();
      const read = await subscriber.next();
      if (read?.kind === 'segment') await takeAll(read.bytes);
    }
    return segments;
  } finally {
    await Promise.all([publisher.close(), subscriber.close()]);
  }
}

async function takeAll(bytes: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of bytes);
}
