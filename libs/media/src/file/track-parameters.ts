import { RunnelError } from '@runnel/errors';
import { OPUS_SAMPLE_RATE, parameterSets, readAdtsHeader, type TsStream, type VideoCodec } from '@runnel/media-core';
import {
  AV_CODEC_ID_AAC,
  AV_CODEC_ID_H264,
  AV_CODEC_ID_HEVC,
  AV_CODEC_ID_OPUS,
  AV_PIX_FMT_YUV420P,
  AV_SAMPLE_FMT_FLTP,
  AVMEDIA_TYPE_AUDIO,
  AVMEDIA_TYPE_VIDEO,
  type AVCodecID,
} from 'node-av/constants';
import { Codec, CodecContext, Frame, type CodecParameters } from 'node-av/lib';
import { asBuffer, check, newPacket } from '../node-av/ffmpeg.ts';
import { layout } from '../node-av/resampler.ts';

/** Describes a video track from its first keyframe. @throws RunnelError `broken_media` when its parameter sets cannot be read. */
export function describeVideo(parameters: CodecParameters, codec: VideoCodec, keyframe: Uint8Array): void {
  const sets = parameterSets(codec, keyframe);
  if (sets === null) throw new RunnelError('broken_media', { message: 'The first keyframe has no parameter sets.' });
  parameters.codecType = AVMEDIA_TYPE_VIDEO;
  parameters.codecId = codec === 'h264' ? AV_CODEC_ID_H264 : AV_CODEC_ID_HEVC;
  parameters.format = AV_PIX_FMT_YUV420P;
  parameters.extradata = Buffer.from(sets);
  const { width, height } = pictureSize(parameters.codecId, keyframe);
  parameters.width = width;
  parameters.height = height;
}

/** The size of a keyframe's picture, found by decoding it: no parser of ours has to know every kind of parameter set. */
function pictureSize(codecId: AVCodecID, keyframe: Uint8Array): { width: number; height: number } {
  const codec = Codec.findDecoder(codecId);
  const context = new CodecContext();
  const packet = newPacket();
  const frame = new Frame();
  try {
    context.allocContext3(codec);
    context.threadCount = 1;
    check(context.open2Sync(codec, null), 'unsupported_codec', 'The video decoder does not open');
    packet.data = asBuffer(keyframe);
    check(context.sendPacketSync(packet), 'broken_media', 'The first keyframe cannot be decoded');
    context.sendPacketSync(null);
    frame.alloc();
    check(context.receiveFrameSync(frame), 'broken_media', 'The first keyframe cannot be decoded');
    return { width: frame.width, height: frame.height };
  } finally {
    frame.free();
    packet.free();
    context.freeContext();
  }
}

/** Describes an audio track from its first unit. */
export function describeAudio(parameters: CodecParameters, stream: TsStream, unit: Uint8Array): void {
  parameters.codecType = AVMEDIA_TYPE_AUDIO;
  parameters.format = AV_SAMPLE_FMT_FLTP;
  if (stream.codec === 'opus') {
    const channels = stream.kind === 'audio' ? stream.channels : 2;
    parameters.codecId = AV_CODEC_ID_OPUS;
    parameters.sampleRate = OPUS_SAMPLE_RATE;
    parameters.channelLayout = layout(channels);
    parameters.extradata = opusHead(channels);
    parameters.frameSize = 960;
    return;
  }
  const header = readAdtsHeader(unit);
  if (header === null) throw new RunnelError('broken_media', { message: 'The first audio frame has no ADTS header.' });
  parameters.codecId = AV_CODEC_ID_AAC;
  parameters.sampleRate = header.sampleRate;
  parameters.channelLayout = layout(Math.max(1, header.channels));
  parameters.frameSize = 1024;
  // AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1): object type, rate, channels.
  const config = (header.objectType << 11) | (header.sampleRateIndex << 7) | ((header.channels === 8 ? 7 : header.channels) << 3);
  parameters.extradata = Buffer.from([config >> 8, config & 0xff]);
}

/** Identification header (RFC 7845, 5.1) without pre-skip: what comes before the first picture is cut by its time. */
function opusHead(channels: number): Buffer {
  const head = Buffer.alloc(19);
  head.write('OpusHead');
  head[8] = 1;
  head[9] = channels;
  head.writeUInt32LE(OPUS_SAMPLE_RATE, 12);
  return head;
}
