import { RunnelError, toRunnelError } from '@runnel/errors';
import {
  Timeline,
  TsDemuxer,
  type EncodedUnit,
  type MediaDriver,
  type Picture,
  type Ticks,
  type TsStream,
  type VideoCodec,
  type VideoDecoder,
} from '@runnel/media-core';
import type { PathClock } from './clock.ts';
import type { Decimator } from './decimator.ts';
import { foreignStreams } from './foreign-streams.ts';
import type { Meter } from './meter.ts';
import type { Notices } from './notices.ts';
import type { Pace } from './pace.ts';

/** Encoded pictures that may wait to be decoded, by number and by size; then the input has to wait. */
const WAITING_UNITS_MAX = 600;
const WAITING_BYTES_MAX = 32 << 20;
/** After missing data pictures are broken until a keyframe comes; it is waited for this long, in time of the stream. */
const KEYFRAME_WAIT_TICKS = 180_000;
/** Arrival times kept for frames inside the decoder. */
const IN_DECODER_MAX = 128;
/** Video data without a single picture that makes an input broken, once the time is up as well. */
const BROKEN_INPUT_BYTES = 16_384;

type VideoStream = Extract<TsStream, { kind: 'video' }>;

/** A decoded picture before the processor, with the times of its trace. */
export interface Waiting {
  picture: Picture;
  receivedMs: number;
  decodedMs: number;
}

interface DecodeStageOptions {
  driver: MediaDriver;
  clock: PathClock;
  meter: Meter;
  notices: Notices;
  pace: Pace;
  decimator: Decimator;
  /** Pictures that are decoded ahead of the processor. */
  depth: number;
  brokenInputMs: number;
  /** The program has come or changed: its audio, or null for none. */
  onAudioStream: (stream: Extract<TsStream, { kind: 'audio' }> | null) => void;
  onAudio: (unit: EncodedUnit, stream: Extract<TsStream, { kind: 'audio' }>) => void;
  /** There may be a picture now. */
  wake: () => void;
}

/**
 * From bytes to the pictures that are worth processing. Pictures wait encoded, because that is a hundredth of their size, and only `depth`
 * of them decoded. All are decoded, also those that are too late (see Pace), because later ones refer to them.
 */
export class DecodeStage {
  readonly #options: DecodeStageOptions;
  readonly #demuxer: TsDemuxer;
  readonly #timeline = new Timeline();
  readonly #pictures: Waiting[] = [];
  readonly #units: { unit: EncodedUnit; codec: VideoCodec }[] = [];
  /** When the bytes of a picture came, by PTS, for as long as it is encoded or inside the decoder. */
  readonly #receivedMs = new Map<Ticks, number>();
  #unitBytes = 0;
  /** Resolves for whoever waits to push more; null when nobody has to. */
  #room: PromiseWithResolvers<void> | null = null;
  #decoder: { codec: VideoCodec; decoder: VideoDecoder } | null = null;
  #opening: Promise<void> | null = null;
  #failure: RunnelError | null = null;
  /** DTS up to which only a keyframe is taken; null: all are. Infinity: counts from the next unit. */
  #keyframeBefore: Ticks | null = Number.POSITIVE_INFINITY;
  #videoPid = -1;
  #audioPid = -1;
  #arrivalMs = 0;
  /** Since when, and over how many bytes, there has been input without a picture. */
  #silentSinceMs: number | null = null;
  #silentBytes = 0;
  #lost = 0;
  #decoded = false;
  /** What the program holds that cannot be decoded, as a sentence. */
  #foreign: string | null = null;

  constructor(options: DecodeStageOptions) {
    this.#options = options;
    this.#demuxer = new TsDemuxer({
      onUnit: (unit, stream) => this.#onUnit(unit, stream),
      onProgram: (program) => {
        const { streams } = program;
        this.#foreign = foreignStreams(program);
        if (this.#foreign !== null) this.#options.notices.warn('unsupported_codec', this.#foreign);
        this.#videoPid = streams.find(({ kind }) => kind === 'video')?.pid ?? -1;
        const audio = streams.find((stream) => stream.kind === 'audio') ?? null;
        this.#audioPid = audio?.pid ?? -1;
        this.#options.onAudioStream(audio);
      },
    });
  }

  /** Why no picture can come any more, or null. */
  get failure(): RunnelError | null {
    return this.#failure;
  }

  /** Takes bytes that arrived at `receivedMs`; resolves when there is room for more. */
  push(bytes: Uint8Array, receivedMs: number): Promise<void> {
    this.#arrivalMs = receivedMs;
    this.#silentBytes += bytes.length;
    this.#silentSinceMs ??= receivedMs;
    this.#demuxer.push(bytes);
    this.#decodeAhead();
    this.#checkSilence(receivedMs);
    this.#noticeLosses();
    this.#options.wake();
    if (this.#units.length < WAITING_UNITS_MAX && this.#unitBytes < WAITING_BYTES_MAX) return Promise.resolve();
    this.#room ??= Promise.withResolvers();
    return this.#room.promise;
  }

  /** Data is missing before what comes next. */
  discontinuity(): void {
    this.#demuxer.flush();
    this.#keyframeBefore = Number.POSITIVE_INFINITY;
  }

  /** Nothing more comes: what is inside comes out. Resolves when all units are with the decoder or waiting for it. */
  async end(): Promise<void> {
    this.#demuxer.flush();
    await this.#opening;
  }

  /** The next picture worth processing, or null when there is none yet. The receiver releases it. */
  next(): Waiting | null {
    const { clock, pace, decimator, meter } = this.#options;
    for (;;) {
      this.#decodeAhead();
      const waiting = this.#pictures.shift();
      if (waiting === undefined) return null;
      const { picture } = waiting;
      // The newest picture is never too late: nothing better could be shown in its place.
      const newer = this.#pictures.length > 0 || this.#units.length > 0;
      if (decimator.accepts(picture.pts) && !(newer && pace.isLate(picture.pts, clock.nowMs()))) return waiting;
      picture.release();
      meter.framesDropped += 1;
    }
  }

  /** Whether units or pictures are left. Units that wait for a decoder that is being opened count. */
  get isEmpty(): boolean {
    return this.#pictures.length === 0 && this.#units.length === 0;
  }

  /** What was wrong with an input that had bytes and not one picture; null when there was nothing wrong. */
  get flaw(): string | null {
    if (this.#decoded || this.#silentBytes === 0) return null;
    return `The input ended without a picture that can be decoded.${this.#foreign === null ? '' : ` ${this.#foreign}`}`;
  }

  /** At the end: pictures that the decoder holds back. */
  flushDecoder(): void {
    this.#decoder?.decoder.flush((picture) => this.#onPicture(picture));
  }

  /** Gives all memory back. Idempotent. */
  async close(): Promise<void> {
    await this.#opening;
    for (const { picture } of this.#pictures.splice(0)) picture.release();
    this.#units.length = 0;
    this.#unitBytes = 0;
    this.#decoder?.decoder.close();
    this.#decoder = null;
    this.#makeRoom();
  }

  #onUnit(raw: EncodedUnit, stream: TsStream): void {
    const { pid } = stream;
    if (pid !== (stream.kind === 'video' ? this.#videoPid : this.#audioPid)) return;
    const jumps = this.#timeline.jumps;
    const unit = this.#timeline.place(raw, stream.kind);
    if (this.#timeline.jumps > jumps)
      this.#options.notices.warn('timestamps_jumped', 'Timestamps went back: the output goes on where it was.');
    if (stream.kind === 'audio') {
      // Audio that plays is no sign of a broken input.
      this.#silentBytes = Math.max(0, this.#silentBytes - unit.data.length * 2);
      this.#options.onAudio(unit, stream);
    } else this.#onVideo(unit, stream);
  }

  #onVideo(unit: EncodedUnit, { codec }: VideoStream): void {
    if (this.#skips(unit)) {
      // Counted like a frame that came in and did not go out.
      this.#options.meter.frameIn(this.#arrivalMs);
      this.#options.meter.framesDropped += 1;
      return;
    }
    this.#options.pace.arrived(unit.pts, this.#arrivalMs);
    this.#receivedMs.set(unit.pts, this.#arrivalMs);
    // What stays belongs to units that gave no picture.
    if (this.#receivedMs.size > WAITING_UNITS_MAX + IN_DECODER_MAX) this.#receivedMs.delete(this.#receivedMs.keys().next().value!);
    this.#units.push({ unit, codec });
    this.#unitBytes += unit.data.length;
  }

  #decodeAhead(): void {
    while (this.#pictures.length < this.#options.depth && this.#units.length > 0) {
      const { unit, codec } = this.#units[0];
      if (this.#decoder?.codec !== codec) {
        if (this.#failure === null) this.#opening ??= this.#open(codec);
        return;
      }
      this.#units.shift();
      this.#unitBytes -= unit.data.length;
      this.#decode(unit);
    }
    this.#makeRoom();
  }

  #decode(unit: EncodedUnit): void {
    try {
      this.#decoder!.decoder.decode(unit, (picture) => this.#onPicture(picture));
    } catch (error) {
      this.#options.notices.warn('broken_media', toRunnelError(error).message);
    }
  }

  /** Whether a unit comes before the keyframe that is waited for. */
  #skips(unit: EncodedUnit): boolean {
    if (this.#keyframeBefore === null) return false;
    if (this.#keyframeBefore === Number.POSITIVE_INFINITY) this.#keyframeBefore = unit.dts + KEYFRAME_WAIT_TICKS;
    if (!unit.keyframe && unit.dts < this.#keyframeBefore) return true;
    this.#keyframeBefore = null;
    return false;
  }

  #onPicture(picture: Picture): void {
    const { clock, meter } = this.#options;
    const decodedMs = clock.nowMs();
    meter.frameIn(decodedMs);
    this.#decoded = true;
    this.#silentBytes = 0;
    this.#silentSinceMs = null;
    const receivedMs = this.#receivedMs.get(picture.pts) ?? decodedMs;
    this.#receivedMs.delete(picture.pts);
    this.#pictures.push({ picture, receivedMs, decodedMs });
  }

  async #open(codec: VideoCodec): Promise<void> {
    try {
      // Pictures of the codec before come out before those of the new one.
      this.flushDecoder();
      this.#decoder?.decoder.close();
      this.#decoder = null;
      this.#decoder = { codec, decoder: await this.#options.driver.openVideoDecoder(codec) };
    } catch (error) {
      this.#failure = toRunnelError(error);
    }
    this.#opening = null;
    this.#decodeAhead();
    this.#options.wake();
  }

  #checkSilence(nowMs: number): void {
    if (this.#silentSinceMs === null || nowMs - this.#silentSinceMs < this.#options.brokenInputMs) return;
    if (this.#silentBytes < BROKEN_INPUT_BYTES || !this.isEmpty) return;
    const seconds = Math.round((nowMs - this.#silentSinceMs) / 1000);
    this.#failure ??= new RunnelError('broken_media', {
      message: `${this.#silentBytes} bytes came in ${seconds} s without a picture that can be decoded.${this.#foreign === null ? '' : ` ${this.#foreign}`}`,
    });
  }

  #noticeLosses(): void {
    const { continuityErrors, syncLosses, badPackets, droppedUnits } = this.#demuxer.stats;
    const lost = continuityErrors + syncLosses + badPackets + droppedUnits;
    if (lost > this.#lost) this.#options.notices.warn('broken_media', 'The transport stream has missing or broken packets.');
    this.#lost = lost;
  }

  #makeRoom(): void {
    // Half empty before anybody is let in again, so that reading does not stop and go with each unit.
    if (this.#units.length >= WAITING_UNITS_MAX / 2 || this.#unitBytes >= WAITING_BYTES_MAX / 2) return;
    this.#room?.resolve();
    this.#room = null;
  }
}
