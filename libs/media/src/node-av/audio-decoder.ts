import { RunnelError } from '@runnel/errors';
import { TICKS_PER_SECOND, type AudioBlock, type AudioDecoder } from '@runnel/media-core';
import { AV_CHANNEL_ORDER_UNSPEC, type AVCodecID } from 'node-av/constants';
import { Codec, CodecContext, Frame, Rational, type CodecParameters, type Packet } from 'node-av/lib';
import { asBuffer, check, newPacket, once, timeOf } from './ffmpeg.ts';
import { toPlanarFloat } from './samples.ts';

/** An audio decoder that also takes FFmpeg's own packets, for files. */
export interface NativeAudioDecoder extends AudioDecoder {
  /** Like `decode`; null flushes. PTS of the blocks are in the time base of the packets. */
  decodePacket(packet: Packet | null, onBlock: (block: AudioBlock) => void): void;
}

/** What FFmpeg must know beyond the codec when packets come from a file; nothing for ADTS and plain Opus. */
export interface NativeAudioDecoderOptions {
  hint?: { channels: number; sampleRate: number } | undefined;
  /** Those of a file's stream, with `timeBase`: FFmpeg needs it to cut what the encoder put in front. */
  stream?: { parameters: CodecParameters; timeBase: Rational };
}

/** Opens an audio decoder; its blocks are planar float whatever the codec gives. */
export async function openAudioDecoder(codecId: AVCodecID, { hint, stream }: NativeAudioDecoderOptions = {}): Promise<NativeAudioDecoder> {
  const codec = Codec.findDecoder(codecId);
  if (codec === null) throw new RunnelError('unsupported_codec', { message: 'There is no decoder for this audio codec.' });
  const context = new CodecContext();
  context.allocContext3(codec);
  try {
    if (stream !== undefined) check(context.parametersToContext(stream.parameters), 'broken_media', 'The audio stream cannot be opened');
    if (hint !== undefined) {
      context.sampleRate = hint.sampleRate;
      context.channelLayout = { order: AV_CHANNEL_ORDER_UNSPEC, nbChannels: hint.channels, mask: 0n };
    }
    context.threadCount = 1;
    context.pktTimebase = stream?.timeBase ?? new Rational(1, TICKS_PER_SECOND);
    check(await context.open2(codec, null), 'unsupported_codec', 'The audio decoder does not open');
  } catch (error) {
    context.freeContext();
    throw error;
  }

  const packet = newPacket();
  const frame = new Frame();
  frame.alloc();
  const drain = (onBlock: (block: AudioBlock) => void): void => {
    while (context.receiveFrameSync(frame) >= 0) {
      const pts = timeOf(frame.bestEffortTimestamp) ?? timeOf(frame.pts);
      const { sampleRate } = frame;
      const channels = pts === null ? null : toPlanarFloat(frame);
      frame.unref();
      if (pts !== null && channels !== null) onBlock({ channels, sampleRate, pts });
    }
  };
  const decodePacket = (source: Packet | null, onBlock: (block: AudioBlock) => void): void => {
    const result = context.sendPacketSync(source);
    drain(onBlock);
    check(result, 'broken_media', 'This audio frame cannot be decoded');
  };
  return {
    decodePacket,
    decode: ({ data, pts }, onBlock) => {
      if (data.length === 0) throw new RunnelError('broken_media', { message: 'This audio frame is empty.' });
      packet.data = asBuffer(data);
      packet.pts = BigInt(Math.round(pts));
      packet.dts = packet.pts;
      try {
        decodePacket(packet, onBlock);
      } finally {
        packet.unref();
      }
    },
    flush: (onBlock) => {
      context.sendPacketSync(null);
      drain(onBlock);
      context.flushBuffers();
    },
    close: once(() => {
      packet.free();
      frame.free();
      context.freeContext();
    }),
  };
}
