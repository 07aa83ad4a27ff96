import { TsDemuxer, TsMuxer, type EncodedUnit, type TsStream } from '@runnel/media-core';
import type { WorkerEvent } from '@runnel/schemas';
import { FramePath, type FramePathOptions } from '../path/frame-path.ts';
import { systemClock, type PathClock } from '../path/clock.ts';
import type { PathOutput } from '../path/outputs.ts';
import { createToyDriver, readToyUnit, toyUnit, type Flat, type ToyDriver } from './toy-codec.ts';

export const FRAME_TICKS = 3_000;
const GREY: Flat = { width: 32, height: 18, y: 100, u: 90, v: 160 };

/** Transport stream of flat frames whose luma counts up from 16; `at` gives the PTS of frame n. */
export function toyStream(options: {
  frames: number;
  flat?: Partial<Flat>;
  gopFrames?: number;
  audio?: boolean;
  at?: (n: number) => number;
}): Uint8Array[] {
  const { frames, flat = {}, gopFrames = 1_000, audio = false, at = (n) => n * FRAME_TICKS } = options;
  const muxer = new TsMuxer({ video: 'h264', audio: audio ? { codec: 'opus', channels: 1 } : null });
  return Array.from({ length: frames }, (_, n) => {
    const unit = toyUnit({ ...GREY, y: 16 + (n % 200), ...flat }, { pts: at(n), keyframe: n % gopFrames === 0 });
    const parts = [...(n === 0 ? [muxer.segmentStart()] : []), muxer.video(unit)];
    // 20 ms of Opus (RFC 6716: CELT, 48 kHz) a packet, 5 for 3 frames; three packets every two frames are enough here.
    if (audio) parts.push(muxer.audio({ data: Uint8Array.from([0xf8, n & 0xff, 1]), pts: at(n) + 10, dts: at(n) + 10, keyframe: true }));
    return Uint8Array.from(parts.flatMap((part) => [...part]));
  });
}

interface OutputUnit extends EncodedUnit {
  kind: TsStream['kind'];
  /** Number of the segment that it lies in. */
  segment: number;
}

/** What a path has given, taken apart. */
export interface Taken {
  outputs: PathOutput[];
  segments: Uint8Array[];
  units: OutputUnit[];
  frames: { flat: Flat; pts: number; keyframe: boolean; segment: number }[];
  events: WorkerEvent[];
  done: Extract<PathOutput, { kind: 'done' }> | undefined;
}

/** Takes outputs apart, segment by segment, each with a demuxer of its own when it begins with tables. */
export function takeApart(outputs: PathOutput[]): Taken {
  const segments: Uint8Array[] = [];
  let open: Uint8Array[] = [];
  for (const output of outputs) {
    if (output.kind === 'bytes') open.push(output.data);
    if (output.kind === 'cut') {
      segments.push(Uint8Array.from(open.flatMap((part) => [...part])));
      open = [];
    }
  }
  if (open.length > 0) throw new Error('The last segment was not cut.');
  const units: OutputUnit[] = [];
  segments.forEach((segment, index) => {
    const demuxer = new TsDemuxer({ onUnit: (unit, { kind }) => units.push({ ...unit, kind, segment: index }) });
    demuxer.push(segment);
    demuxer.flush();
  });
  return {
    outputs,
    segments,
    units,
    frames: units
      .filter(({ kind }) => kind === 'video')
      .map(({ data, pts, keyframe, segment }) => ({ flat: readToyUnit(data), pts, keyframe, segment })),
    events: outputs.flatMap((output) => (output.kind === 'event' ? [output.event] : [])),
    done: outputs.find((output) => output.kind === 'done'),
  };
}

/** A frame path on the toy codec. */
export async function startPath(
  options: Pick<FramePathOptions, 'definition'> & { output?: Partial<FramePathOptions['output']> } & Partial<
      Omit<FramePathOptions, 'output' | 'definition'>
    >,
): Promise<{ path: FramePath; driver: ToyDriver; outputs: PathOutput[]; clock: PathClock }> {
  const driver = createToyDriver();
  const outputs: PathOutput[] = [];
  const clock = options.clock ?? systemClock;
  const path = await FramePath.start({
    params: {},
    trace: false,
    driver,
    sink: async (output) => {
      outputs.push(output);
    },
    ...options,
    clock,
    output: { segmentFrames: 2, gopFrames: 60, bitrateKbps: 1000, ...options.output },
  });
  return { path, driver, outputs, clock };
}

/** Pushes a whole stream as one burst, ends the input, and takes the output apart. */
export async function runThrough(chunks: Uint8Array[], options: Parameters<typeof startPath>[0]): Promise<Taken & { driver: ToyDriver }> {
  const { path, driver, outputs, clock } = await startPath(options);
  for (const chunk of chunks) await path.push(chunk, clock.nowMs());
  await path.endOfInput();
  await path.done;
  return { ...takeApart(outputs), driver };
}
