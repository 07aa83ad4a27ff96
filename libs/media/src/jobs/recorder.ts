import type { Ticks } from '@runnel/media-core';
import { childEntry } from '../child/entry.ts';
import { forkChild, type ChildHandle } from '../child/fork.ts';
import { RunnelError } from '@runnel/errors';
import { epochMs } from '../child/clock.ts';
import { JOB_MEMORY_CAP_MB, JOB_START_DEADLINE_MS, JOB_STOP_DEADLINE_MS } from './run-job.ts';

/** Where to record to, and what to report. */
export interface RecorderOptions {
  /** Path of the file to write. */
  output: string;
  format: 'mp4';
  /** Also decodes each picture as a viewer would, and reports it in `frames`. */
  decode: boolean;
}

/** When a picture was seen. Times in ms since 1970. */
export interface RecordedFrame {
  pts: Ticks;
  /** Its last byte was pushed. */
  receivedMs: number;
  /** It is a picture again. */
  decodedMs: number;
}

/** What was written. */
export interface RecorderSummary {
  frames: number;
  /** AAC frames or Opus packets. */
  audioUnits: number;
  durationMs: number;
  /** PTS of the first picture in the stream; null without any. */
  videoStartPts: Ticks | null;
  audioStartPts: Ticks | null;
  /** Size of the file; 0 when there was nothing to write, and no file then. */
  bytes: number;
}

/** A running recorder. */
export interface Recorder {
  /** Of the child process. */
  readonly pid: number;
  /** Takes bytes of the transport stream in pieces of any size; resolves when more may come. @throws RunnelError that the recorder died of. */
  push(bytes: Uint8Array): Promise<void>;
  /** The pictures as they are decoded; empty without `decode`. Ends after `finish`. Read once. */
  readonly frames: AsyncIterable<RecordedFrame>;
  /** Makes the file whole and says what is in it. @throws RunnelError `file_not_writable`, `media_child_died`. */
  finish(): Promise<RecorderSummary>;
  /** Gives up: what was written so far stays playable. Idempotent, also after `finish`. */
  close(): Promise<void>;
}

/** What parent and child say to each other. */
export type RecorderCommand = { kind: 'push'; data: Uint8Array; receivedMs: number } | { kind: 'finish' };
/** What the child tells: each decoded frame as it comes, and the summary as its last word. */
export type RecorderReply = ({ kind: 'frame' } & RecordedFrame) | { kind: 'summary'; summary: RecorderSummary };

/** Decoded frames that wait for a reader; a reader that is slower than this loses the oldest. */
const FRAMES_WAITING_MAX = 100_000;

/**
 * Writes a transport stream (H.264 or HEVC with AAC or Opus) to an MP4 file from a process of its own, without coding it anew, from the
 * first keyframe on. The file is playable at any time, also when the process is killed.
 * @throws RunnelError `file_not_writable`.
 */
export async function startRecorder(options: RecorderOptions): Promise<Recorder> {
  const child = await forkChild({
    entry: childEntry(import.meta.url, './recorder.child.js'),
    name: 'recorder',
    init: options,
    startDeadlineMs: JOB_START_DEADLINE_MS,
    memoryCapMb: JOB_MEMORY_CAP_MB,
  });
  const frames = new FrameQueue();
  const summary = follow(child, frames);
  // Whoever calls `finish` sees a failure; until then it waits here.
  summary.catch(() => undefined);
  return {
    pid: child.pid,
    push: (data) => child.send({ kind: 'push', data, receivedMs: epochMs() } satisfies RecorderCommand),
    frames: frames.read(),
    finish: async () => {
      // A recorder that is gone tells why through its summary.
      await child.send({ kind: 'finish' } satisfies RecorderCommand).catch(() => undefined);
      return summary;
    },
    close: async () => {
      await child.stop({ deadlineMs: JOB_STOP_DEADLINE_MS });
      await summary.catch(() => undefined);
    },
  };
}

/** Reads what the child says, so that it never waits for a reader of frames. */
async function follow(child: ChildHandle, frames: FrameQueue): Promise<RecorderSummary> {
  let summary: RecorderSummary | null = null;
  try {
    for await (const message of child.messages) {
      const reply = message as RecorderReply;
      if (reply.kind === 'summary') summary = reply.summary;
      else frames.add({ pts: reply.pts, receivedMs: reply.receivedMs, decodedMs: reply.decodedMs });
    }
  } finally {
    frames.end();
  }
  if (summary === null) throw new RunnelError('media_child_died', { message: 'The recorder left without finishing its file.' });
  return summary;
}

/** Frames on their way to a reader. */
class FrameQueue {
  readonly #waiting: RecordedFrame[] = [];
  #ended = false;
  #wake: (() => void) | null = null;

  add(frame: RecordedFrame): void {
    this.#waiting.push(frame);
    if (this.#waiting.length > FRAMES_WAITING_MAX) this.#waiting.shift();
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async *read(): AsyncGenerator<RecordedFrame, void> {
    for (;;) {
      const frame = this.#waiting.shift();
      if (frame !== undefined) yield frame;
      else if (this.#ended) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}
