import type { AudioCodec, MediaDriver, VideoCodec } from '@runnel/media-core';
import { AV_CODEC_ID_AAC, AV_CODEC_ID_H264, AV_CODEC_ID_HEVC, AV_CODEC_ID_OPUS, type AVCodecID } from 'node-av/constants';
import { getFFmpegInfo } from 'node-av/lib';
import { openAudioDecoder } from './audio-decoder.ts';
import { openAudioEncoder } from './audio-encoder.ts';
import { openConverter } from './converter.ts';
import { openVideoDecoder } from './video-decoder.ts';
import { openVideoEncoder } from './video-encoder.ts';

const VIDEO_IDS: Record<VideoCodec, AVCodecID> = { h264: AV_CODEC_ID_H264, hevc: AV_CODEC_ID_HEVC };
const AUDIO_IDS: Record<AudioCodec, AVCodecID> = { aac: AV_CODEC_ID_AAC, opus: AV_CODEC_ID_OPUS };

/**
 * The driver on FFmpeg through node-av. Its calls are synchronous and its memory is FFmpeg's: use it in a process of its own
 * (`forkChild`), never in a worker thread, whose end during a call would abort the whole process.
 */
export function createNodeAvDriver(): MediaDriver {
  return {
    name: `node-av (FFmpeg ${getFFmpegInfo().version})`,
    openVideoDecoder: (codec) => openVideoDecoder(VIDEO_IDS[codec]),
    openVideoEncoder: (options) => openVideoEncoder(options),
    openAudioDecoder: (codec, hint) => openAudioDecoder(AUDIO_IDS[codec], { hint }),
    openAudioEncoder: (options) => openAudioEncoder(options),
    openConverter,
  };
}
