import { RunnelError } from '@runnel/errors';
import type { Picture, VideoDecoder } from '@runnel/media-core';
import type { AVCodecID } from 'node-av/constants';
import { Codec, CodecContext, Rational, type CodecParameters, type Packet } from 'node-av/lib';
import { TICKS_PER_SECOND } from '@runnel/media-core';
import { asBuffer, check, newPacket, once, timeOf } from './ffmpeg.ts';
import { PictureClock } from './picture-clock.ts';
import { PicturePool } from './picture-pool.ts';

/** A video decoder that also takes FFmpeg's own packets, for files. */
export interface NativeVideoDecoder extends VideoDecoder {
  /** Like `decode`; null flushes. PTS of the pictures are in the time base of the packets. */
  decodePacket(packet: Packet | null, onPicture: (picture: Picture) => void): void;
}

/** Opens a decoder; `parameters` are those of a file's stream, whose headers lie outside its packets. */
export async function openVideoDecoder(codecId: AVCodecID, parameters?: CodecParameters): Promise<NativeVideoDecoder> {
  const codec = Codec.findDecoder(codecId);
  if (codec === null) throw new RunnelError('unsupported_codec', { message: 'There is no decoder for this video codec.' });
  const context = new CodecContext();
  context.allocContext3(codec);
  try {
    if (parameters !== undefined) check(context.parametersToContext(parameters), 'broken_media', 'The video stream cannot be opened');
    // More threads hold back a frame each.
    context.threadCount = 1;
    context.pktTimebase = new Rational(1, TICKS_PER_SECOND);
    check(await context.open2(codec, null), 'unsupported_codec', 'The video decoder does not open');
  } catch (error) {
    context.freeContext();
    throw error;
  }

  const pool = new PicturePool();
  const clock = new PictureClock();
  const packet = newPacket();

  const drain = (onPicture: (picture: Picture) => void): void => {
    for (;;) {
      const frame = pool.take();
      if (context.receiveFrameSync(frame) < 0) {
        pool.give(frame);
        return;
      }
      const pts = clock.timeOf(timeOf(frame.bestEffortTimestamp) ?? timeOf(frame.pts));
      if (pts === null) pool.give(frame);
      else onPicture(pool.lend(frame, pts));
    }
  };
  const decodePacket = (source: Packet | null, onPicture: (picture: Picture) => void): void => {
    // Drained even when the packet was refused: what came before it may have made pictures.
    const result = context.sendPacketSync(source);
    drain(onPicture);
    check(result, 'broken_media', 'This picture cannot be decoded');
  };
  return {
    decodePacket,
    decode: ({ data, pts, dts }, onPicture) => {
      // FFmpeg takes an empty packet for the end of the stream.
      if (data.length === 0) throw new RunnelError('broken_media', { message: 'This picture is empty.' });
      packet.data = asBuffer(data);
      packet.pts = BigInt(Math.round(pts));
      packet.dts = BigInt(Math.round(dts));
      try {
        decodePacket(packet, onPicture);
      } finally {
        packet.unref();
      }
    },
    flush: (onPicture) => {
      context.sendPacketSync(null);
      drain(onPicture);
      // Usable again after the end of a stream.
      context.flushBuffers();
    },
    close: once(() => {
      pool.close();
      packet.free();
      context.freeContext();
    }),
  };
}
