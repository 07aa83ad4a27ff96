import { serveChild } from '../child/serve.ts';
import { openMediaFile } from '../file/media-file.ts';
import type { MediaProbe } from './probe.ts';

/** What the child is given: the path of the file to look at. */
export interface ProbeInit {
  path: string;
}

serveChild(async ({ path }: ProbeInit, port) => {
  const file = openMediaFile(path);
  const { width, height, fps, durationMs, frames, videoCodec, audioCodec } = file;
  file.close();
  const value: MediaProbe = {
    width,
    height,
    fps,
    durationMs: durationMs === null ? null : Math.round(durationMs),
    frames,
    videoCodec,
    audioCodec,
  };
  await port.send({ kind: 'result', value });
});
