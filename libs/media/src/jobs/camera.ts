import { RunnelError } from '@runnel/errors';
import {
  AAC_FRAME_SAMPLES,
  SegmentCutter,
  TICKS_PER_SECOND,
  TsMuxer,
  type AudioBlock,
  type AudioEncoder,
  type EncodedUnit,
  type Picture,
  type PixelConverter,
  type Ticks,
  type VideoEncoder,
} from '@runnel/media-core';
import { openAudioEncoder } from '../node-av/audio-encoder.ts';
import { openConverter } from '../node-av/converter.ts';
import { openVideoEncoder } from '../node-av/video-encoder.ts';
import type { MediaFile } from '../file/media-file.ts';
import { rotate, type Rotation } from '../file/rotation.ts';
import type { IngestOptions } from './ingest.ts';
import { START_PTS } from './source.ts';

/** Sample rates that are kept; others become the first. */
const SAMPLE_RATES: readonly number[] = [48_000, 44_100, 32_000];
/** A worker encodes nothing smaller: one macroblock of H.264. */
const SIDE_MIN_PIXELS = 16;
const AUDIO_KBPS_PER_CHANNEL = 64;

/** What a camera does with pictures and sound: fits, encodes and muxes them. */
export class Camera {
  readonly #width: number;
  readonly #height: number;
  readonly #video: VideoEncoder;
  readonly #audio: AudioEncoder | null;
  readonly #muxer: TsMuxer;
  readonly #cutter: SegmentCutter;
  readonly #converter: PixelConverter = openConverter();
  /** Length of a unit of sound. */
  readonly #unitTicks: Ticks;
  readonly #rotation: Rotation;
  #turned: Picture | null = null;
  /** A picture of the size to send, used again for each one that has to be scaled. */
  #fitted: Picture | null = null;
  frames = 0;
  videoStartPts: Ticks | null = null;
  /** Of the first sound that reaches into the first picture or comes after it. */
  audioStartPts: Ticks | null = null;

  private constructor(
    size: { width: number; height: number; rotation: Rotation },
    video: VideoEncoder,
    audio: { encoder: AudioEncoder; sampleRate: number; channels: number } | null,
    segmentFrames: number,
  ) {
    this.#width = size.width;
    this.#height = size.height;
    this.#rotation = size.rotation;
    this.#video = video;
    this.#audio = audio?.encoder ?? null;
    this.#unitTicks = audio === null ? 0 : (AAC_FRAME_SAMPLES * TICKS_PER_SECOND) / audio.sampleRate;
    this.#muxer = new TsMuxer({ video: 'h264', audio: audio === null ? null : { codec: 'aac', channels: audio.channels } });
    this.#cutter = new SegmentCutter({ at: 'frames', frames: segmentFrames });
  }

  /** Opens the encoders for what a file holds. */
  static async open(file: MediaFile, hasAudio: boolean, options: IngestOptions): Promise<Camera> {
    const size = { ...fit(file, options.maxWidth), rotation: file.rotation };
    if (size.width < SIDE_MIN_PIXELS || size.height < SIDE_MIN_PIXELS)
      throw new RunnelError('unsupported_codec', {
        message: `A picture of ${size.width}x${size.height} is too small to send: ${SIDE_MIN_PIXELS} pixels a side is the least.`,
      });
    const video = await openVideoEncoder({
      width: size.width,
      height: size.height,
      framerate: file.fps,
      bitrateKbps: options.bitrateKbps,
      gopFrames: options.gopFrames,
    });
    if (!hasAudio || file.audio === null) return new Camera(size, video, null, options.segmentFrames);
    const { sampleRate: sourceRate, channels: sourceChannels } = file.audio.codecpar;
    const sampleRate = SAMPLE_RATES.includes(sourceRate) ? sourceRate : SAMPLE_RATES[0];
    const channels = Math.min(2, Math.max(1, sourceChannels));
    const encoder = await openAudioEncoder({
      codec: 'aac',
      sampleRate,
      channels,
      bitrateKbps: AUDIO_KBPS_PER_CHANNEL * channels,
    });
    return new Camera(size, video, { encoder, sampleRate, channels }, options.segmentFrames);
  }

  /** Encodes a picture; gives whether a new segment begins with it, and its packets, those of the tables first then. Does not release it. */
  picture(picture: Picture): { cut: boolean; data: Uint8Array } | null {
    let result: { cut: boolean; data: Uint8Array } | null = null;
    this.#video.encode(this.#fit(this.#turn(picture)), { keyframe: this.frames === 0 }, (unit) => {
      const begins = this.#cutter.cutBefore(unit);
      const packets = this.#muxer.video(unit);
      result = { cut: begins && this.frames > 0, data: begins ? concat(this.#muxer.segmentStart(), packets) : packets };
      this.videoStartPts ??= unit.pts;
      this.frames += 1;
    });
    return result;
  }

  /** Encodes sound; its packets, if any are ready. */
  sound(block: AudioBlock): Uint8Array[] {
    const packets: Uint8Array[] = [];
    this.#audio?.encode(block, (unit) => this.#onAudio(unit, packets));
    return packets;
  }

  /** What is left of the sound. */
  flush(): Uint8Array[] {
    const packets: Uint8Array[] = [];
    this.#audio?.flush((unit) => this.#onAudio(unit, packets));
    return packets;
  }

  /** Whether the stream has an audio track. */
  get hasAudio(): boolean {
    return this.#audio !== null;
  }

  /** Frees the encoders and the converter. */
  close(): void {
    this.#video.close();
    this.#audio?.close();
    this.#converter.close();
  }

  #onAudio(unit: EncodedUnit, packets: Uint8Array[]): void {
    // What has ended when the picture begins is not the start of its sound: a viewer that begins with the picture never hears it.
    if (unit.pts + this.#unitTicks > START_PTS) this.audioStartPts ??= unit.pts;
    packets.push(this.#muxer.audio(unit));
  }

  /** Upright, as a camera sends it. */
  #turn(picture: Picture): Picture {
    if (this.#rotation === 0) return picture;
    const isSideways = this.#rotation % 180 !== 0;
    const [width, height] = isSideways ? [picture.height, picture.width] : [picture.width, picture.height];
    if (this.#turned?.width !== width || this.#turned.height !== height) this.#turned = blank(width, height);
    rotate(picture, this.#turned, this.#rotation);
    return { ...this.#turned, pts: picture.pts };
  }

  #fit(picture: Picture): Picture {
    if (picture.width === this.#width && picture.height === this.#height) return picture;
    this.#fitted ??= blank(this.#width, this.#height);
    this.#converter.scale(picture, this.#fitted);
    return { ...this.#fitted, pts: picture.pts };
  }
}

/** The size to send: even, and not wider than wanted. */
function fit({ width, height }: { width: number; height: number }, maxWidth = width): { width: number; height: number } {
  const scale = Math.min(1, maxWidth / width);
  return { width: Math.max(2, Math.floor(width * scale) & ~1), height: Math.max(2, Math.round(height * scale) & ~1) };
}

function blank(width: number, height: number): Picture {
  const chroma = (width >> 1) * (height >> 1);
  return {
    width,
    height,
    planes: [new Uint8Array(width * height), new Uint8Array(chroma), new Uint8Array(chroma)],
    strides: [width, width >> 1, width >> 1],
    pts: 0,
    release: () => undefined,
  };
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
