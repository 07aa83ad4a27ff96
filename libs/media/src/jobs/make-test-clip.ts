import { childEntry } from '../child/entry.ts';
import type { TestClipSpec } from '../clip/test-clip.ts';
import { runJob } from './run-job.ts';

/** The clip to make, and who hears how far it is. */
export interface TestClipOptions {
  /** Where to write the MP4. */
  path: string;
  seconds: number;
  /** Even, at least 312; 640 by default. */
  width?: number;
  /** Even, at least 180; 360 by default. */
  height?: number;
  /** 30 by default. */
  fps?: number;
  /** Called about once for each second of film with the share that is done, from 0 to 1. */
  onProgress?: (share: number) => void;
}

/**
 * Writes an MP4 (H.264 and AAC) of a moving picture that can be checked: each frame carries its number, in figures and as a bar code,
 * and once a second a patch flashes while a beep begins. `inspectClip` reads it back. Runs in a process of its own.
 * @throws RunnelError `file_not_writable`, `invalid_request` for a size or length that is not possible.
 */
export async function makeTestClip({ path, seconds, width = 640, height = 360, fps = 30, onProgress }: TestClipOptions): Promise<void> {
  const init: TestClipSpec = { path, seconds, width, height, fps };
  await runJob({ entry: childEntry(import.meta.url, './make-test-clip.child.js'), name: 'test clip', init, onProgress });
}
