import { RunnelError } from '@runnel/errors';
import { TICKS_PER_SECOND, type Ticks } from '@runnel/media-core';
import { serveChild, type ChildPort } from '../child/serve.ts';
import { Camera } from './camera.ts';
import { epochMs } from '../child/clock.ts';
import type { IngestChildMessage, IngestOptions } from './ingest.ts';
import { FileSource, START_PTS } from './source.ts';

const TICKS_PER_MS = TICKS_PER_SECOND / 1000;

serveChild(async (options: IngestOptions, port) => {
  const source = await FileSource.open({ path: options.input, loop: options.loop === true });
  const camera = await Camera.open(source.file, source.hasAudio, options);
  await port.ready();
  try {
    await play(source, camera, options, port);
  } finally {
    camera.close();
    source.close();
  }
});

async function play(source: FileSource, camera: Camera, options: IngestOptions, port: ChildPort): Promise<void> {
  const { signal } = port;
  const send = (message: IngestChildMessage): Promise<void> => port.send(message);
  const endPts = START_PTS + (options.seconds ?? Infinity) * TICKS_PER_SECOND;
  let startMs: number | null = null;
  const due = async (pts: Ticks): Promise<number> => {
    startMs ??= epochMs();
    if (options.pace === 'fast') return epochMs();
    const at = startMs + (pts - START_PTS) / TICKS_PER_MS;
    await sleepUntil(at, signal);
    return at;
  };
  for (let item = await source.next(); item !== null; item = await source.next()) {
    const { pts } = item.kind === 'picture' ? item.picture : item.block;
    // Half a tick of tolerance for times that were rounded.
    if (pts >= endPts - 1) {
      if (item.kind === 'picture') {
        item.picture.release();
        break;
      }
      continue;
    }
    const capturedMs = await due(pts);
    if (item.kind === 'block') {
      for (const data of camera.sound(item.block)) await send({ kind: 'bytes', data });
      continue;
    }
    if (signal.aborted) {
      item.picture.release();
      break;
    }
    const sent = camera.picture(item.picture);
    item.picture.release();
    if (sent === null) continue;
    if (sent.cut) await send({ kind: 'cut' });
    await send({ kind: 'bytes', data: sent.data });
    await send({ kind: 'frame', pts, capturedMs });
  }
  for (const data of camera.flush()) await send({ kind: 'bytes', data });
  const { frames, hasAudio, videoStartPts, audioStartPts } = camera;
  if (frames === 0 && !signal.aborted) throw new RunnelError('broken_media', { message: `No picture of ${options.input} can be decoded.` });
  await send({ kind: 'end', frames, hasAudio, videoStartPts, audioStartPts });
}

/** Waits for an instant, at most until the signal aborts. */
async function sleepUntil(atMs: number, signal: AbortSignal): Promise<void> {
  const wait = atMs - epochMs();
  if (wait <= 0 || signal.aborted) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, wait);
    signal.addEventListener('abort', done);
  });
}
