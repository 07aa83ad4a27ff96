import { RunnelError } from '@runnel/errors';
import {
  inspectAnnexB,
  TICKS_PER_SECOND,
  type EncodedUnit,
  type Picture,
  type VideoEncoder,
  type VideoEncoderOptions,
} from '@runnel/media-core';
import {
  AV_CODEC_FLAG_GLOBAL_HEADER,
  AV_PICTURE_TYPE_I,
  AV_PICTURE_TYPE_NONE,
  AV_PIX_FMT_YUV420P,
  FF_ENCODER_LIBX264,
} from 'node-av/constants';
import { Codec, CodecContext, Dictionary, Frame, Rational, type CodecParameters } from 'node-av/lib';
import { check, copyData, newPacket, once, timeOf } from './ffmpeg.ts';
import { copyPlane } from './planes.ts';

/** An encoder whose stream can be written to a file. */
export interface NativeVideoEncoder extends VideoEncoder {
  /** Describes the stream to a container; sensible with `globalHeader`. */
  fillParameters(parameters: CodecParameters): void;
}

/** `superfast` costs little more than `ultrafast` and keeps text and edges. */
const PRESET = 'superfast';

/**
 * Opens x264 for live streams: no B-frames, no look-ahead, one picture in and its unit out. `globalHeader` puts the parameter sets
 * into the container's header instead of before each keyframe.
 */
export async function openVideoEncoder(options: VideoEncoderOptions & { globalHeader?: boolean }): Promise<NativeVideoEncoder> {
  const { width, height, framerate, bitrateKbps, gopFrames } = options;
  if (width % 2 !== 0 || height % 2 !== 0)
    throw new RunnelError('unsupported_codec', { message: `H.264 4:2:0 needs even sides, not ${width}x${height}.` });
  const codec = Codec.findEncoderByName(FF_ENCODER_LIBX264);
  if (codec === null) throw new RunnelError('unsupported_codec', { message: 'This FFmpeg has no libx264.' });
  const context = new CodecContext();
  context.allocContext3(codec);
  context.width = width;
  context.height = height;
  context.pixelFormat = AV_PIX_FMT_YUV420P;
  context.timeBase = new Rational(1, TICKS_PER_SECOND);
  context.framerate = new Rational(Math.round(framerate * 1000), 1000);
  context.gopSize = gopFrames;
  context.maxBFrames = 0;
  context.threadCount = 1;
  context.bitRate = BigInt(Math.round(bitrateKbps * 1000));
  // At most a second's worth at once, so that a keyframe does not delay what follows by more.
  context.rcMaxRate = context.bitRate;
  context.rcBufferSize = Math.round(bitrateKbps * 1000);
  if (options.globalHeader === true) context.setFlags(AV_CODEC_FLAG_GLOBAL_HEADER);
  const settings = Dictionary.fromObject({ preset: PRESET, tune: 'zerolatency', 'forced-idr': '1', sc_threshold: '0' });
  const frame = new Frame();
  try {
    check(await context.open2(codec, settings), 'unsupported_codec', `x264 does not open for ${width}x${height}`);
    frame.alloc();
    frame.format = AV_PIX_FMT_YUV420P;
    frame.width = width;
    frame.height = height;
    check(frame.getBuffer(), 'internal', 'No memory for a picture');
  } catch (error) {
    frame.free();
    context.freeContext();
    throw error;
  } finally {
    settings.free();
  }

  const packet = newPacket();
  let strides = frame.linesize;
  let planes = frame.data!;
  const drain = (onUnit: (unit: EncodedUnit) => void): void => {
    while (context.receivePacketSync(packet) >= 0) {
      const data = copyData(packet);
      const pts = timeOf(packet.pts) ?? 0;
      const keyframe = options.globalHeader === true ? packet.isKeyframe : inspectAnnexB('h264', data).keyframe;
      packet.unref();
      // Without B-frames decoding order is presentation order.
      onUnit({ data, pts, dts: pts, keyframe });
    }
  };
  const fill = (picture: Omit<Picture, 'release'>): void => {
    // The encoder may still refer to the frame's memory: then it gets planes of its own, and ours have to follow.
    if (!frame.isWritable) {
      check(frame.makeWritable(), 'internal', 'No memory for a picture');
      strides = frame.linesize;
      planes = frame.data!;
    }
    for (let plane = 0; plane < 3; plane += 1) {
      const shift = plane === 0 ? 0 : 1;
      copyPlane(
        { data: picture.planes[plane], stride: picture.strides[plane] },
        { data: planes[plane], stride: strides[plane] },
        width >> shift,
        height >> shift,
      );
    }
  };
  return {
    encode: (picture, { keyframe }, onUnit) => {
      if (picture.width !== width || picture.height !== height)
        throw new RunnelError('internal', { message: `The encoder takes ${width}x${height}, not ${picture.width}x${picture.height}.` });
      fill(picture);
      frame.pts = BigInt(Math.round(picture.pts));
      frame.pictType = keyframe ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
      check(context.sendFrameSync(frame), 'internal', 'This picture cannot be encoded');
      drain(onUnit);
    },
    flush: (onUnit) => {
      context.sendFrameSync(null);
      drain(onUnit);
    },
    fillParameters: (parameters) => {
      check(parameters.fromContext(context), 'internal', 'The stream cannot be described');
    },
    close: once(() => {
      packet.free();
      frame.free();
      context.freeContext();
    }),
  };
}
