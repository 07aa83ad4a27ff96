import { RunnelError } from '@runnel/errors';
import { forkChild } from '../child/fork.ts';

/** A decoder's tables and a few pictures need far less; a hostile file does not get more. */
export const JOB_MEMORY_CAP_MB = 1024;
/** Loading FFmpeg and opening a file on a slow disk. */
export const JOB_START_DEADLINE_MS = 20_000;
/** How long a job may take to close its file. */
export const JOB_STOP_DEADLINE_MS = 5_000;

/**
 * Runs a child that sends any number of `{kind: 'progress', value}` and one `{kind: 'result', value}`; gives back the result's value.
 * @throws RunnelError of the child.
 */
export async function runJob(options: {
  entry: URL;
  name: string;
  init: unknown;
  onProgress?: ((value: number) => void) | undefined;
}): Promise<unknown> {
  const child = await forkChild({ ...options, startDeadlineMs: JOB_START_DEADLINE_MS, memoryCapMb: JOB_MEMORY_CAP_MB });
  try {
    for await (const message of child.messages) {
      const { kind, value } = message as { kind: 'progress' | 'result'; value: unknown };
      if (kind === 'result') return value;
      options.onProgress?.(value as number);
    }
    throw new RunnelError('media_child_died', { message: `The ${options.name} process left without a result.` });
  } finally {
    await child.stop({ deadlineMs: JOB_STOP_DEADLINE_MS });
  }
}
