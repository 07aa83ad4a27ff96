import type { Ticks } from '@runnel/media-core';
import { childEntry } from '../child/entry.ts';
import { forkChild } from '../child/fork.ts';
import { epochMs } from '../child/clock.ts';
import { JOB_MEMORY_CAP_MB, JOB_START_DEADLINE_MS, JOB_STOP_DEADLINE_MS } from './run-job.ts';

/** What the camera plays and how it encodes. */
export interface IngestOptions {
  /** Path of a file that FFmpeg can read. */
  input: string;
  /** At most this much of it, s; all by default. */
  seconds?: number;
  /** Begins again at the end of the file, with times that go on. */
  loop?: boolean;
  /** `real-time`: each frame when it is due, as a camera would. `fast`: as quickly as the reader takes it. */
  pace: 'real-time' | 'fast';
  /** Frames of a segment. */
  segmentFrames: number;
  /** Frames from one keyframe to the next. */
  gopFrames: number;
  bitrateKbps: number;
  /** Wider pictures are scaled down. */
  maxWidth?: number;
}

/** What an ingest ends with. */
export interface IngestEnd {
  kind: 'end';
  frames: number;
  hasAudio: boolean;
  /** PTS of the first picture; null without any. */
  videoStartPts: Ticks | null;
  /** PTS of the first audio unit that does not end before the first picture begins; null without any. */
  audioStartPts: Ticks | null;
}

/** What an ingest yields, in order. */
export type IngestMessage =
  /** Whole packets of the transport stream. */
  | { kind: 'bytes'; data: Uint8Array }
  /** The segment that is open ends here; what follows begins the next one. */
  | { kind: 'cut' }
  /** The frame's bytes are those before. `capturedMs`: when the source frame was due; `sentMs`: when its bytes were handed over here; both since 1970. */
  | { kind: 'frame'; pts: Ticks; capturedMs: number; sentMs: number }
  | IngestEnd;

/** A running ingest. */
export interface Ingest {
  /** Read once. Not reading holds the source back. Throws the RunnelError that the source ended with. */
  readonly messages: AsyncIterable<IngestMessage>;
  /** Ends the source after the frame in hand; `end` still comes. */
  requestStop(): void;
  /** Stops and waits until the process is gone. Idempotent. */
  close(): Promise<void>;
}

/** What the child sends: the parent adds when a frame's bytes were taken. */
export type IngestChildMessage = Exclude<IngestMessage, { kind: 'frame' }> | { kind: 'frame'; pts: Ticks; capturedMs: number };

/**
 * Plays a file as a camera would send it: H.264 without delay and AAC in MPEG-TS, from a process of its own.
 * @throws RunnelError `file_not_found`, `not_video`, `broken_media`, `unsupported_codec`.
 */
export async function startIngest(options: IngestOptions): Promise<Ingest> {
  const child = await forkChild({
    entry: childEntry(import.meta.url, './ingest.child.js'),
    name: 'ingest',
    init: options,
    startDeadlineMs: JOB_START_DEADLINE_MS,
    memoryCapMb: JOB_MEMORY_CAP_MB,
  });
  let stopping: Promise<void> | null = null;
  const stop = (): Promise<void> => (stopping ??= child.stop({ deadlineMs: JOB_STOP_DEADLINE_MS }));
  return {
    messages: stamp(child.messages as AsyncIterable<IngestChildMessage>),
    requestStop: () => {
      stopping ??= stop();
    },
    close: stop,
  };
}

async function* stamp(messages: AsyncIterable<IngestChildMessage>): AsyncGenerator<IngestMessage, void> {
  let sentMs = epochMs();
  for await (const message of messages) {
    if (message.kind === 'bytes') sentMs = epochMs();
    yield message.kind === 'frame' ? { ...message, sentMs } : message;
  }
}
