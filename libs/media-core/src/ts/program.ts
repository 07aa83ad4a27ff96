import type { AudioCodec, VideoCodec } from '../frames.ts';

/** An elementary stream that we understand. */
export type TsStream =
  | { readonly kind: 'video'; readonly pid: number; readonly codec: VideoCodec }
  | {
      readonly kind: 'audio';
      readonly pid: number;
      readonly codec: AudioCodec;
      /** Known from the descriptor for Opus; 0 for AAC, whose ADTS headers say it. */
      readonly channels: number;
    };

/** What the PMT of the first program says. */
export interface TsProgram {
  readonly programNumber: number;
  readonly pcrPid: number;
  readonly streams: readonly TsStream[];
  /** Streams that are skipped, with their `stream_type`. */
  readonly ignored: readonly { readonly pid: number; readonly streamType: number }[];
}
