import {
  AV_SAMPLE_FMT_FLT,
  AV_SAMPLE_FMT_FLTP,
  AV_SAMPLE_FMT_S16,
  AV_SAMPLE_FMT_S16P,
  AV_SAMPLE_FMT_S32,
  AV_SAMPLE_FMT_S32P,
  type AVSampleFormat,
} from 'node-av/constants';
import type { Frame } from 'node-av/lib';

/** Sample formats that we read: array type, divisor to [-1, 1], and whether each channel has its own plane. */
const FORMATS = new Map<AVSampleFormat, { read: (bytes: Buffer) => ArrayLike<number>; scale: number; planar: boolean }>([
  [AV_SAMPLE_FMT_FLTP, { read: floats, scale: 1, planar: true }],
  [AV_SAMPLE_FMT_FLT, { read: floats, scale: 1, planar: false }],
  [
    AV_SAMPLE_FMT_S16P,
    { read: (bytes) => new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length >> 1), scale: 2 ** -15, planar: true },
  ],
  [
    AV_SAMPLE_FMT_S16,
    { read: (bytes) => new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length >> 1), scale: 2 ** -15, planar: false },
  ],
  [
    AV_SAMPLE_FMT_S32P,
    { read: (bytes) => new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2), scale: 2 ** -31, planar: true },
  ],
  [
    AV_SAMPLE_FMT_S32,
    { read: (bytes) => new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2), scale: 2 ** -31, planar: false },
  ],
]);

/** A view on FFmpeg's samples, which are aligned. */
export function floats(bytes: Buffer): Float32Array {
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
}

/** Copies the samples of an audio frame, one array a channel; null for a format that no common codec gives. */
export function toPlanarFloat(frame: Frame): Float32Array[] | null {
  const format = FORMATS.get(frame.format as AVSampleFormat);
  const data = frame.extendedData;
  if (format === undefined || data === null) return null;
  const { nbSamples: samples, channels: count } = frame;
  return Array.from({ length: count }, (_, channel) => {
    const from = format.read(data[format.planar ? channel : 0]);
    const to = new Float32Array(samples);
    const step = format.planar ? 1 : count;
    const start = format.planar ? 0 : channel;
    for (let at = 0; at < samples; at += 1) to[at] = from[start + at * step] * format.scale;
    return to;
  });
}
