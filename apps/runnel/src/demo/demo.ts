import { statSync } from 'node:fs';
import { RunnelError } from '@runnel/errors';
import { inspectClip, probe, startRecorder } from '@runnel/media';
import type { ParamValues, SessionEvent } from '@runnel/schemas';
import type { Logger } from '@runnel/service';
import { createApiClient } from '../api/client.ts';
import { startSolo } from '../solo/solo.ts';
import { runSession } from './session-run.ts';
import { summarize, type DemoSummary } from './summary.ts';

/** What to run through the stack. */
export interface DemoOptions {
  /** Path of a video file. */
  input: string;
  processor: string;
  params: ParamValues;
  /** A second set of parameters, sent in the middle of the stream; null for none. */
  paramsMidway: ParamValues | null;
  /** Path of the MP4 to write. */
  output: string;
  /** At most this much of the source, s; null for all. */
  seconds: number | null;
  logger: Logger;
  /** Ends the source early; what is on its way still arrives and the file is finished. */
  signal: AbortSignal;
  /** Frames that the viewer has seen, of how many; total is 0 when the file does not tell. */
  onProgress: (frames: number, total: number) => void;
  onEvent: (event: SessionEvent) => void;
}

/**
 * Runs a file through the whole solo stack at its real pace, records the result, and measures each frame from the source's
 * glass to the viewer's. Everything it started has ended when it returns or throws.
 * @throws RunnelError for what is wrong with the input, the processor, its parameters or the output path.
 */
export async function runDemo(options: DemoOptions): Promise<DemoSummary> {
  const source = await probe(options.input);
  refuseOverwriting(options);
  const totalSeconds = Math.min(options.seconds ?? Infinity, source.durationMs === null ? Infinity : source.durationMs / 1000);
  const totalFrames = Number.isFinite(totalSeconds) ? Math.round(totalSeconds * source.fps) : 0;
  const recorder = await startRecorder({ output: options.output, format: 'mp4', decode: true });
  try {
    const solo = await startSolo({ host: '127.0.0.1', apiPort: 0, edgePort: 0, logger: options.logger });
    try {
      let trouble = 'Nothing came out of the session.';
      const run = await runSession({
        ...options,
        onEvent: (event) => {
          if (event.type === 'error') trouble = event.message;
          options.onEvent(event);
        },
        api: createApiClient(solo.apiUrl),
        recorder,
        paramsMidway:
          options.paramsMidway === null ? null : { values: options.paramsMidway, atFrame: Math.max(1, Math.floor(totalFrames / 2)) },
        onFrames: (seen) => options.onProgress(seen, totalFrames),
        onGap: (gap) => options.logger.warn(gap, 'segments of the output were missed'),
      });
      if (run.recorded.frames === 0)
        throw new RunnelError('processor_failed', { message: `No picture came out, so that there is no ${options.output}: ${trouble}` });
      return summarize(run, await inspectClip(options.output), options.output);
    } finally {
      await solo.close();
    }
  } finally {
    await recorder.close();
  }
}

/** Whoever names one file twice, also by way of a link, keeps it. @throws RunnelError `file_not_writable`. */
function refuseOverwriting({ input, output }: Pick<DemoOptions, 'input' | 'output'>): void {
  const from = statSync(input);
  const to = statSync(output, { throwIfNoEntry: false });
  if (to !== undefined && to.ino === from.ino && to.dev === from.dev)
    throw new RunnelError('file_not_writable', { message: `${output} is the input itself: it would be overwritten while it is read.` });
}
