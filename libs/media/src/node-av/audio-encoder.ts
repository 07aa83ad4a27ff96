import { RunnelError } from '@runnel/errors';
import { OPUS_SAMPLE_RATE, wrapAdts, type AudioEncoder, type AudioEncoderOptions, type EncodedUnit } from '@runnel/media-core';
import { AV_CODEC_FLAG_GLOBAL_HEADER, AV_SAMPLE_FMT_FLT, AV_SAMPLE_FMT_FLTP, FF_ENCODER_AAC, FF_ENCODER_LIBOPUS } from 'node-av/constants';
import { Codec, CodecContext, Dictionary, Frame, Rational, type CodecParameters } from 'node-av/lib';
import { check, copyData, newPacket, once, timeOf } from './ffmpeg.ts';
import { layout, Resampler } from './resampler.ts';
import { SampleClock } from './sample-clock.ts';
import { floats } from './samples.ts';

/** An encoder whose stream can be written to a file. */
export interface NativeAudioEncoder extends AudioEncoder {
  /** Describes the stream to a container; sensible with `raw`. */
  fillParameters(parameters: CodecParameters): void;
}

/**
 * Opens AAC-LC or Opus. Both put padding before the first sample (1024 samples of AAC, 6.5 ms of Opus): the PTS of what comes out
 * are earlier by it, so that what is decoded again lies at the time where it was. `raw` leaves AAC without ADTS headers.
 */
export async function openAudioEncoder(options: AudioEncoderOptions & { raw?: boolean }): Promise<NativeAudioEncoder> {
  const { codec: codecName, channels } = options;
  const isAac = codecName === 'aac';
  const sampleRate = isAac ? options.sampleRate : OPUS_SAMPLE_RATE;
  const codec = Codec.findEncoderByName(isAac ? FF_ENCODER_AAC : FF_ENCODER_LIBOPUS);
  if (codec === null || channels < 1 || channels > 8)
    throw new RunnelError('unsupported_codec', { message: `Audio cannot be encoded as ${codecName} with ${channels} channels.` });
  const context = new CodecContext();
  context.allocContext3(codec);
  context.sampleRate = sampleRate;
  context.channelLayout = layout(channels);
  context.sampleFormat = isAac ? AV_SAMPLE_FMT_FLTP : AV_SAMPLE_FMT_FLT;
  context.timeBase = new Rational(1, sampleRate);
  context.bitRate = BigInt(Math.round(options.bitrateKbps * 1000));
  context.threadCount = 1;
  if (options.raw === true) context.setFlags(AV_CODEC_FLAG_GLOBAL_HEADER);
  const settings = Dictionary.fromObject(isAac ? {} : { frame_duration: '20' });
  const frame = new Frame();
  try {
    check(
      await context.open2(codec, settings),
      'unsupported_codec',
      `The ${codecName} encoder does not open for ${channels} channels at ${sampleRate} Hz`,
    );
    frame.alloc();
    frame.format = context.sampleFormat;
    frame.nbSamples = context.frameSize;
    frame.sampleRate = sampleRate;
    frame.channelLayout = layout(channels);
    check(frame.getBuffer(), 'internal', 'No memory for audio');
  } catch (error) {
    frame.free();
    context.freeContext();
    throw error;
  } finally {
    settings.free();
  }

  /** Samples that the encoder wants at once: 1024 of AAC, 960 of Opus (20 ms). */
  const frameSamples = context.frameSize;
  const packet = newPacket();
  const resampler = new Resampler({ sampleRate, channels });
  const clock = new SampleClock(sampleRate);
  /** Views on the frame's memory: one a channel for AAC (planar), one for all of them for Opus (interleaved). */
  let planes = frame.extendedData!.map(floats);
  /** Samples that were taken so far; those of the frame that is being filled are the last `filled`. */
  let taken = 0;
  let filled = 0;

  const drain = (onUnit: (unit: EncodedUnit) => void): void => {
    while (context.receivePacketSync(packet) >= 0) {
      const pts = clock.ptsOf(timeOf(packet.pts) ?? 0);
      const data = isAac && options.raw !== true ? wrapAdts(packet.data ?? new Uint8Array(0), { sampleRate, channels }) : copyData(packet);
      packet.unref();
      onUnit({ data, pts, dts: pts, keyframe: true });
    }
  };
  const submit = (onUnit: (unit: EncodedUnit) => void): void => {
    frame.pts = BigInt(taken - filled);
    filled = 0;
    check(context.sendFrameSync(frame), 'internal', 'Audio cannot be encoded');
    drain(onUnit);
    if (frame.isWritable) return;
    check(frame.makeWritable(), 'internal', 'No memory for audio');
    planes = frame.extendedData!.map(floats);
  };
  /** Puts `count` samples from `from` on into the frame; without a source, silence. */
  const fill = (source: readonly Float32Array[] | null, from: number, count: number): void => {
    for (let channel = 0; channel < channels; channel += 1) {
      if (isAac) {
        if (source === null) planes[channel].fill(0, filled, filled + count);
        else planes[channel].set(source[channel].subarray(from, from + count), filled);
        continue;
      }
      for (let at = 0; at < count; at += 1)
        planes[0][(filled + at) * channels + channel] = source === null ? 0 : source[channel][from + at];
    }
    filled += count;
    taken += count;
  };
  return {
    encode: (block, onUnit) => {
      clock.mark(taken, block.pts);
      const samples = resampler.convert(block);
      for (let at = 0; at < samples[0].length;) {
        const count = Math.min(frameSamples - filled, samples[0].length - at);
        fill(samples, at, count);
        at += count;
        if (filled === frameSamples) submit(onUnit);
      }
    },
    flush: (onUnit) => {
      if (filled > 0) {
        fill(null, 0, frameSamples - filled);
        submit(onUnit);
      }
      context.sendFrameSync(null);
      drain(onUnit);
    },
    fillParameters: (parameters) => {
      check(parameters.fromContext(context), 'internal', 'The stream cannot be described');
    },
    close: once(() => {
      resampler.close();
      packet.free();
      frame.free();
      context.freeContext();
    }),
  };
}
