import type { AudioBlock, AudioCodec, EncodedUnit, Picture, Ticks, VideoCodec } from './frames.ts';

/** Turns access units into pictures. Calls are synchronous: the frame path runs in a process of its own. */
export interface VideoDecoder {
  /** Feeds one access unit and hands over each picture that is ready, in order. The receiver releases it. @throws RunnelError `broken_media` for a unit that cannot be decoded; the decoder stays usable. */
  decode(unit: { data: Uint8Array; pts: Ticks; dts: Ticks }, onPicture: (picture: Picture) => void): void;
  /** Hands over what is still inside. */
  flush(onPicture: (picture: Picture) => void): void;
  close(): void;
}

/** What a video encoder makes: H.264 of one size, without B-frames, so that DTS equal PTS and no picture waits for another. */
export interface VideoEncoderOptions {
  width: number;
  height: number;
  /** Nominal frames per second; timing comes from PTS. */
  framerate: number;
  bitrateKbps: number;
  /** Frames from one keyframe to the next. */
  gopFrames: number;
}

/** Turns pictures into H.264 without delay: one picture in, its unit out. */
export interface VideoEncoder {
  /** Does not release the picture. A size other than the encoder's is an error of the caller. */
  encode(picture: Omit<Picture, 'release'>, options: { keyframe: boolean }, onUnit: (unit: EncodedUnit) => void): void;
  flush(onUnit: (unit: EncodedUnit) => void): void;
  close(): void;
}

/**
 * Turns access units of sound (ADTS frames, Opus packets) into blocks of samples. A unit that cannot be decoded throws
 * `broken_media`; the decoder stays usable.
 */
export interface AudioDecoder {
  decode(unit: { data: Uint8Array; pts: Ticks }, onBlock: (block: AudioBlock) => void): void;
  flush(onBlock: (block: AudioBlock) => void): void;
  close(): void;
}

/** What an audio encoder makes. `sampleRate` (Hz) holds for AAC; Opus always runs at 48,000. `channels` is 1 to 8. */
export interface AudioEncoderOptions {
  codec: AudioCodec;
  sampleRate: number;
  channels: number;
  bitrateKbps: number;
}

/** Turns blocks of samples into ADTS frames or Opus packets of a fixed number of samples. */
export interface AudioEncoder {
  /** Blocks of any length; PTS of what comes out follows the first block's and the sample count, resynchronised on a jump. */
  encode(block: AudioBlock, onUnit: (unit: EncodedUnit) => void): void;
  flush(onUnit: (unit: EncodedUnit) => void): void;
  close(): void;
}

/** Packed RGB pixels, 8 bits, row-major HWC without padding: `width * height * 3` bytes. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** Converts between pictures and RGB, scaling if sizes differ (bilinear). One instance a direction and size; rebuilt by itself when they change. */
export interface PixelConverter {
  toRgb(picture: Omit<Picture, 'release'>, into: RgbImage): void;
  fromRgb(image: RgbImage, into: Omit<Picture, 'release'>): void;
  /** Scales a picture into another picture's planes. */
  scale(picture: Omit<Picture, 'release'>, into: Omit<Picture, 'release'>): void;
  close(): void;
}

/**
 * The seam behind which a codec library sits (FFmpeg through node-av today). Opening is asynchronous, work is not.
 * @throws RunnelError `unsupported_codec` from every `open…`.
 */
export interface MediaDriver {
  /** Name and version, for logs: "node-av 6.1.1 (FFmpeg 8.1)". */
  readonly name: string;
  openVideoDecoder(codec: VideoCodec): Promise<VideoDecoder>;
  openVideoEncoder(options: VideoEncoderOptions): Promise<VideoEncoder>;
  /** `channels` and `sampleRate` are known from the stream for Opus; AAC in ADTS carries its own. */
  openAudioDecoder(codec: AudioCodec, hint?: { channels: number; sampleRate: number }): Promise<AudioDecoder>;
  openAudioEncoder(options: AudioEncoderOptions): Promise<AudioEncoder>;
  openConverter(): PixelConverter;
}
