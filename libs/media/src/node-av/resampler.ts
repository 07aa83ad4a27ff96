import type { AudioBlock } from '@runnel/media-core';
import { AV_CHANNEL_ORDER_NATIVE, AV_SAMPLE_FMT_FLTP } from 'node-av/constants';
import { SoftwareResampleContext, type ChannelLayout } from 'node-av/lib';
import { asBuffer, check } from './ffmpeg.ts';

/** Brings blocks of any rate and channel count to one. Blocks that fit already pass untouched. */
export class Resampler {
  readonly #rate: number;
  readonly #channels: number;
  #context: SoftwareResampleContext | null = null;
  #key = '';

  constructor({ sampleRate, channels }: { sampleRate: number; channels: number }) {
    this.#rate = sampleRate;
    this.#channels = channels;
  }

  /** Samples of the wanted kind; may be fewer or more than the rates suggest, the rest comes with the next block. */
  convert(block: AudioBlock): readonly Float32Array[] {
    if (block.sampleRate === this.#rate && block.channels.length === this.#channels) return block.channels;
    const context = this.#contextFor(block);
    const samples = block.channels[0].length;
    const room = context.getOutSamples(samples);
    const out = Array.from({ length: this.#channels }, () => new Float32Array(room));
    const written = check(
      context.convertSync(out.map(bytesOf), room, block.channels.map(bytesOf), samples),
      'internal',
      'Audio cannot be resampled',
    );
    return out.map((channel) => channel.subarray(0, written));
  }

  /** Frees the native context and drops samples still inside. Idempotent; `convert` makes a new one. */
  close(): void {
    this.#context?.free();
    this.#context = null;
    this.#key = '';
  }

  #contextFor(block: AudioBlock): SoftwareResampleContext {
    const key = `${block.sampleRate}:${block.channels.length}`;
    if (this.#context !== null && this.#key === key) return this.#context;
    this.close();
    const context = new SoftwareResampleContext();
    check(
      context.allocSetOpts2(
        layout(this.#channels),
        AV_SAMPLE_FMT_FLTP,
        this.#rate,
        layout(block.channels.length),
        AV_SAMPLE_FMT_FLTP,
        block.sampleRate,
      ),
      'internal',
      'Audio cannot be resampled',
    );
    check(context.init(), 'unsupported_codec', `Audio of ${block.channels.length} channels at ${block.sampleRate} Hz cannot be resampled`);
    this.#context = context;
    this.#key = key;
    return context;
  }
}

/** FFmpeg's default layouts (by mask): mono, stereo, 2.1, 4.0, 5.0, 5.1, 6.1, 7.1. */
const LAYOUT_MASKS = [0x4n, 0x3n, 0xbn, 0x107n, 0x37n, 0x3fn, 0x70fn, 0x63fn] as const;

/** The usual layout of a channel count from 1 to 8. */
export function layout(channels: number): ChannelLayout {
  return { order: AV_CHANNEL_ORDER_NATIVE, nbChannels: channels, mask: LAYOUT_MASKS[channels - 1] };
}

function bytesOf(samples: Float32Array): Buffer {
  return asBuffer(new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength));
}
