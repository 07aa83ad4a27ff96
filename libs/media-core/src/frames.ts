/** A time in ticks of 90 kHz, the clock of MPEG-TS, unwrapped past 33 bits (exact in a double for 3000 years). */
export type Ticks = number;

/** Ticks in a second. */
export const TICKS_PER_SECOND = 90_000;

/**
 * One decoded picture in planar YUV 4:2:0, 8 bits, limited range unless `fullRange`.
 * Its planes may be a view on the decoder's own memory: valid until `release`.
 */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** Y, U, V. Chroma planes have ceil(width/2) × ceil(height/2) samples. */
  readonly planes: readonly [Uint8Array, Uint8Array, Uint8Array];
  /** Bytes from one row to the next, a plane each; at least the plane's width. */
  readonly strides: readonly [number, number, number];
  readonly pts: Ticks;
  readonly fullRange?: boolean;
  /** Gives the memory back. Idempotent; the planes may not be touched afterwards. */
  release(): void;
}

/** One decoded block of audio samples: planar 32-bit float in [-1, 1]. */
export interface AudioBlock {
  /** One array a channel, `samples` long each. Owned by the receiver. */
  readonly channels: readonly Float32Array[];
  readonly sampleRate: number;
  readonly pts: Ticks;
}

/** One encoded access unit of video or audio. */
export interface EncodedUnit {
  /** H.264: Annex B with parameter sets before each keyframe. AAC: ADTS frames. Opus: raw packets, one a unit. */
  readonly data: Uint8Array;
  readonly pts: Ticks;
  readonly dts: Ticks;
  readonly keyframe: boolean;
}

/** Codecs that are read; what is written is H.264. */
export type VideoCodec = 'h264' | 'hevc';
/** Codecs of sound, read and written. */
export type AudioCodec = 'aac' | 'opus';
