import { RunnelError } from '@runnel/errors';
import type { AudioBlock, Ticks } from '@runnel/media-core';

/** Most channels of a frame. */
export const MAX_AUDIO_CHANNELS = 8;
const SAMPLE_RATES_HZ = { min: 8_000, max: 192_000 } as const;

/** A block of audio: planar 32-bit float in [-1, 1], one array of equal length a channel. Owned by whoever holds it. */
export class AudioFrame implements AudioBlock {
  readonly channels: readonly Float32Array[];
  /** Samples a second, a channel. */
  readonly sampleRate: number;
  /** Presentation time of the first sample, in ticks of 90 kHz. */
  readonly pts: Ticks;

  /** @throws RunnelError `processor_failed` for a layout that no encoder could take. */
  constructor({ channels, sampleRate, pts }: AudioBlock) {
    const wrong = flaw(channels, sampleRate, pts);
    if (wrong !== null) throw new RunnelError('processor_failed', { message: `Not an audio frame: ${wrong}.` });
    this.channels = channels;
    this.sampleRate = sampleRate;
    this.pts = pts;
  }

  /** Samples a channel. */
  get samples(): number {
    return this.channels[0].length;
  }

  /** The same moment with other samples. @throws RunnelError `processor_failed` as the constructor. */
  withChannels(channels: readonly Float32Array[]): AudioFrame {
    return new AudioFrame({ channels, sampleRate: this.sampleRate, pts: this.pts });
  }
}

function flaw(channels: readonly Float32Array[], sampleRate: number, pts: Ticks): string | null {
  if (channels.length < 1 || channels.length > MAX_AUDIO_CHANNELS)
    return `it has ${channels.length} channels; 1 to ${MAX_AUDIO_CHANNELS} are possible`;
  if (channels.some((channel) => !(channel instanceof Float32Array))) return 'every channel must be a Float32Array';
  if (channels.some(({ length }) => length !== channels[0].length)) return 'its channels differ in length';
  if (!(sampleRate >= SAMPLE_RATES_HZ.min && sampleRate <= SAMPLE_RATES_HZ.max)) return `a sample rate of ${sampleRate} Hz is not possible`;
  return Number.isFinite(pts) ? null : 'its PTS is not a number';
}
