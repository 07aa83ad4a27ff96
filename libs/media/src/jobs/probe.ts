import { childEntry } from '../child/entry.ts';
import type { ProbeInit } from './probe.child.ts';
import { runJob } from './run-job.ts';

/** What a file's headers say. */
export interface MediaProbe {
  /** As the picture is shown, i.e. turned where the file says so. */
  width: number;
  height: number;
  /** Nominal frames per second. */
  fps: number;
  durationMs: number | null;
  /** Number of pictures, where the container counts them. */
  frames: number | null;
  /** FFmpeg's names: "h264", "aac". */
  videoCodec: string;
  audioCodec: string | null;
}

/** Reads the headers of a file, in a process of its own. @throws RunnelError `file_not_found`, `not_video`, `broken_media`, `unsupported_codec`. */
export async function probe(path: string): Promise<MediaProbe> {
  const result = await runJob({
    entry: childEntry(import.meta.url, './probe.child.js'),
    name: 'probe',
    init: { path } satisfies ProbeInit,
  });
  return result as MediaProbe;
}
