import { childEntry } from '../child/entry.ts';
import type { ClipReport } from '../clip/inspect.ts';
import type { InspectInit } from './inspect-clip.child.ts';
import { runJob } from './run-job.ts';

/**
 * Reads a finished file back, in a process of its own, and checks what `makeTestClip` burnt into it: frame numbers, and flash against beep.
 * @throws RunnelError `file_not_found`, `not_video`, `broken_media`, `unsupported_codec`.
 */
export async function inspectClip(path: string): Promise<ClipReport> {
  const result = await runJob({
    entry: childEntry(import.meta.url, './inspect-clip.child.js'),
    name: 'inspection',
    init: { path } satisfies InspectInit,
  });
  return result as ClipReport;
}
