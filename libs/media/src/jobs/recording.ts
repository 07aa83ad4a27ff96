import {
  AAC_FRAME_SAMPLES,
  OPUS_SAMPLE_RATE,
  opusPacketSamples,
  parameterSets,
  readAdtsHeader,
  TICKS_PER_SECOND,
  type EncodedUnit,
  type Ticks,
  type TsProgram,
  type TsStream,
} from '@runnel/media-core';
import { openMp4Writer, type Mp4Writer } from '../file/mp4-writer.ts';
import { describeAudio, describeVideo } from '../file/track-parameters.ts';
import type { RecorderSummary } from './recorder.ts';

/** Units that wait for the first unit of sound, which tells what the audio track is; more than that and the file gets none. */
const WAITING_MAX = 300;
const DEFAULT_FRAME_TICKS: Ticks = 3000;

interface Item {
  unit: EncodedUnit;
  stream: TsStream;
}

/** Puts the units of a transport stream into an MP4 file, from the first keyframe on. */
export class Recording {
  readonly #path: string;
  /** Null until it is known which tracks there are. */
  #writer: Mp4Writer | null = null;
  /** Whether the file got an audio track; it cannot be added later. */
  #hasAudioTrack = false;
  /** Whether the program names a stream of sound, which is then waited for. */
  #expectsAudio = false;
  #waiting: Item[] = [];
  /** The picture that is not written yet: the next one tells how long it lasts. */
  #held: EncodedUnit | null = null;
  #base: Ticks = 0;
  #codec: { video: string | null; audio: string | null } = { video: null, audio: null };
  #lastDts = { video: Number.NEGATIVE_INFINITY, audio: Number.NEGATIVE_INFINITY };
  #frameTicks = DEFAULT_FRAME_TICKS;
  readonly #summary: RecorderSummary = { frames: 0, audioUnits: 0, durationMs: 0, videoStartPts: null, audioStartPts: null, bytes: 0 };
  #endPts: Ticks = 0;

  constructor({ path }: { path: string }) {
    this.#path = path;
  }

  /** Whether sound is to be waited for. */
  setProgram(program: TsProgram): void {
    this.#expectsAudio = program.streams.some(({ kind }) => kind === 'audio');
  }

  /** Takes the next unit. Nothing is written before the first keyframe with parameter sets, since no player could begin there. */
  add(unit: EncodedUnit, stream: TsStream): void {
    if (this.#writer !== null) {
      this.#write({ unit, stream });
      return;
    }
    const hasKeyframe = this.#waiting.some(({ stream: { kind } }) => kind === 'video');
    // Sound from before the first keyframe is kept for as long as it may reach into it.
    if (!hasKeyframe && stream.kind === 'video' && (!unit.keyframe || parameterSets(stream.codec, unit.data) === null)) return;
    this.#waiting.push({ unit, stream });
    if (!hasKeyframe && stream.kind === 'audio') {
      if (this.#waiting.length > WAITING_MAX / 4) this.#waiting.shift();
      return;
    }
    const isHeard = this.#heard().some(({ stream: { kind } }) => kind === 'audio');
    if (!this.#expectsAudio || isHeard || this.#waiting.length >= WAITING_MAX) this.#open();
  }

  /** Makes the file whole. Without a picture there is no file. */
  finish(): RecorderSummary {
    if (this.#writer === null && this.#waiting.some(({ stream }) => stream.kind === 'video')) this.#open();
    if (this.#writer === null) return this.#summary;
    this.#writeHeld(this.#frameTicks);
    const start = this.#summary.videoStartPts ?? 0;
    this.#summary.durationMs = ((this.#endPts - start) * 1000) / TICKS_PER_SECOND;
    this.#summary.bytes = this.#writer.finish();
    return this.#summary;
  }

  /** Frees the writer; what is in the file stays playable. Idempotent. */
  close(): void {
    this.#writer?.close();
  }

  #open(): void {
    const video = this.#waiting.find(({ stream }) => stream.kind === 'video');
    if (video === undefined || video.stream.kind !== 'video') return;
    const { codec } = video.stream;
    const items = this.#heard();
    this.#waiting = [];
    const audio = items.find(({ stream }) => stream.kind === 'audio');
    this.#base = Math.min(...items.map(({ unit }) => Math.min(unit.pts, unit.dts)));
    this.#codec = { video: codec, audio: audio?.stream.codec ?? null };
    this.#hasAudioTrack = audio !== undefined;
    this.#writer = openMp4Writer({
      path: this.#path,
      video: (parameters) => describeVideo(parameters, codec, video.unit.data),
      audio: audio === undefined ? null : (parameters) => describeAudio(parameters, audio.stream, audio.unit.data),
      live: true,
    });
    for (const item of items) this.#write(item);
  }

  /** What waits, without the sound that ends before the first picture. */
  #heard(): Item[] {
    const start = this.#waiting.find(({ stream }) => stream.kind === 'video')?.unit.pts ?? 0;
    return this.#waiting.filter(({ unit, stream }) => stream.kind === 'video' || unit.pts + durationOf(unit, stream) > start);
  }

  #write({ unit, stream }: Item): void {
    // A track keeps its codec; and DTS that go back would make the container refuse it.
    if (stream.codec !== this.#codec[stream.kind] || unit.dts <= this.#lastDts[stream.kind]) return;
    this.#lastDts[stream.kind] = unit.dts;
    if (stream.kind === 'video') {
      if (this.#held !== null) this.#frameTicks = Math.max(1, unit.dts - this.#held.dts);
      this.#writeHeld(this.#frameTicks);
      this.#held = unit;
      this.#summary.videoStartPts ??= unit.pts;
      return;
    }
    if (!this.#hasAudioTrack) return;
    const header = stream.codec === 'aac' ? readAdtsHeader(unit.data) : null;
    const duration = durationOf(unit, stream);
    this.#writer!.audio({
      ...unit,
      // The container says what ADTS says before each frame.
      data: header === null ? unit.data : unit.data.subarray(header.headerBytes),
      pts: unit.pts - this.#base,
      dts: unit.dts - this.#base,
      duration,
    });
    this.#summary.audioStartPts ??= unit.pts;
    this.#summary.audioUnits += 1;
    this.#endPts = Math.max(this.#endPts, unit.pts + duration);
  }

  #writeHeld(duration: Ticks): void {
    const held = this.#held;
    if (held === null) return;
    this.#held = null;
    this.#writer!.video({ ...held, pts: held.pts - this.#base, dts: held.dts - this.#base, duration });
    this.#summary.frames += 1;
    this.#endPts = Math.max(this.#endPts, held.pts + duration);
  }
}

/** How long a unit of sound is. */
function durationOf({ data }: EncodedUnit, stream: TsStream): Ticks {
  if (stream.kind !== 'audio') return 0;
  if (stream.codec === 'opus') return (opusPacketSamples(data) * TICKS_PER_SECOND) / OPUS_SAMPLE_RATE;
  return (AAC_FRAME_SAMPLES * TICKS_PER_SECOND) / (readAdtsHeader(data)?.sampleRate ?? OPUS_SAMPLE_RATE);
}
