import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { RunnelError } from '@runnel/errors';
import { TICKS_PER_SECOND, type Ticks } from '@runnel/media-core';
import {
  AV_DISPOSITION_ATTACHED_PIC,
  AV_PKT_DATA_DISPLAYMATRIX,
  AVERROR_DECODER_NOT_FOUND,
  AVFMT_TS_DISCONT,
  AVMEDIA_TYPE_AUDIO,
  AVMEDIA_TYPE_VIDEO,
} from 'node-av/constants';
import { avGetCodecName, Dictionary, FormatContext, type Packet, type Rational, type Stream } from 'node-av/lib';
import { timeOf } from '../node-av/ffmpeg.ts';
import { rotationOf, type Rotation } from './rotation.ts';

/** Containers that hold films. Playlists, which name other files, images and text are not among them. */
const CONTAINERS = 'mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,mpeg,avi,flv,ogg,asf,mxf,nut,wav,mp3,aac,flac';
/** The first bytes of files that mean to be media; whether they can be read is another question. */
const SIGNATURES: readonly { at: number; bytes: string }[] = [
  { at: 4, bytes: 'ftyp' },
  { at: 0, bytes: '\x1aE\xdf\xa3' },
  { at: 0, bytes: 'RIFF' },
  { at: 0, bytes: 'FLV' },
  { at: 0, bytes: 'OggS' },
];
/** How much of a file is looked at to tell what it means to be. */
const HEAD_BYTES = 256;
const MEDIA_NAME = /\.(mp4|m4v|mov|mkv|webm|ts|m2ts|mts|avi|flv|mpg|mpeg)$/i;

/** An opened file with its best video stream and, if there is one, its best audio stream. */
export interface MediaFile {
  readonly video: Stream;
  readonly audio: Stream | null;
  /** Whether its times may jump, as those of a recorded broadcast do. */
  readonly mayJump: boolean;
  /** How its pictures have to be turned before they are shown. */
  readonly rotation: Rotation;
  /** Size of its pictures as they are shown, i.e. turned. */
  readonly width: number;
  readonly height: number;
  /** Nominal frames per second; 30 when the file does not tell. */
  readonly fps: number;
  readonly durationMs: number | null;
  /** As the container says; null when it does not. */
  readonly frames: number | null;
  readonly videoCodec: string;
  readonly audioCodec: string | null;
  /** Reads the next packet of either stream; null at the end. The packet holds its data then. */
  read(packet: Packet): 'video' | 'audio' | null;
  close(): void;
}

/**
 * Opens a file with a video in it. Blocks while it reads the headers: for a process of its own.
 * @throws RunnelError `file_not_found`, `not_video`, `broken_media`, `unsupported_codec`.
 */
export function openMediaFile(path: string): MediaFile {
  checkFile(path);
  const context = new FormatContext();
  const settings = Dictionary.fromObject({ format_whitelist: CONTAINERS, protocol_whitelist: 'file' });
  const opened = context.openInputSync(`file:${path}`, null, settings);
  settings.free();
  // A context that failed to open has been freed by FFmpeg.
  if (opened < 0) throw unreadable(path);
  try {
    if (context.findStreamInfoSync(null) < 0) throw unreadable(path);
    return describe(context, path);
  } catch (error) {
    context.closeInputSync();
    throw error;
  }
}

/** A time in the time base of a stream as ticks. */
export function toTicks(value: number, { num, den }: Rational): Ticks {
  return Math.round((value * num * TICKS_PER_SECOND) / den);
}

function describe(context: FormatContext, path: string): MediaFile {
  const index = context.findBestStream(AVMEDIA_TYPE_VIDEO);
  if (index === AVERROR_DECODER_NOT_FOUND)
    throw new RunnelError('unsupported_codec', { message: `There is no decoder for the video in ${path}.` });
  // The picture on the cover of a song is a video stream to FFmpeg, which names it only where there is no other.
  if (index < 0 || context.streams[index].disposition & AV_DISPOSITION_ATTACHED_PIC)
    throw isMediaName(path) && context.nbStreams === 0
      ? unreadable(path)
      : new RunnelError('not_video', { message: `${path} has no video track.` });
  const { streams } = context;
  const video = streams[index];
  const { width, height } = video.codecpar;
  if (width < 2 || height < 2) throw unreadable(path);
  const rotation = rotationOf(video.codecpar.getCodedSideData(AV_PKT_DATA_DISPLAYMATRIX));
  const isSideways = rotation % 180 !== 0;
  const audioIndex = context.findBestStream(AVMEDIA_TYPE_AUDIO);
  const audio = audioIndex < 0 ? null : streams[audioIndex];
  const rate = video.avgFrameRate;
  const fps = rate.num > 0 && rate.den > 0 ? rate.num / rate.den : 30;
  const duration = timeOf(context.duration);
  const frames = Number(video.nbFrames);
  let closed = false;
  return {
    video,
    audio,
    mayJump: ((context.iformat?.flags ?? 0) & AVFMT_TS_DISCONT) !== 0,
    rotation,
    width: isSideways ? height : width,
    height: isSideways ? width : height,
    fps: fps > 0 && fps <= 240 ? fps : 30,
    // In microseconds (AV_TIME_BASE).
    durationMs: duration === null || duration <= 0 ? null : duration / 1000,
    frames: frames > 0 ? frames : null,
    videoCodec: avGetCodecName(video.codecpar.codecId) ?? 'unknown',
    audioCodec: audio === null ? null : (avGetCodecName(audio.codecpar.codecId) ?? 'unknown'),
    read: (packet) => {
      for (;;) {
        if (context.readFrameSync(packet) < 0) return null;
        if (packet.streamIndex === index) return 'video';
        if (packet.streamIndex === audioIndex) return 'audio';
        packet.unref();
      }
    },
    close: () => {
      if (closed) return;
      closed = true;
      context.closeInputSync();
    },
  };
}

function checkFile(path: string): void {
  let isFile: boolean;
  try {
    isFile = statSync(path).isFile();
    if (isFile) closeSync(openSync(path, 'r'));
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw new RunnelError('file_not_found', { message: missing ? `${path} does not exist.` : `${path} cannot be read.`, cause });
  }
  if (!isFile) throw new RunnelError('not_video', { message: `${path} is not a file.` });
}

/** What to say of a file that FFmpeg cannot read: broken if it looks like media, else something else altogether. */
function unreadable(path: string): RunnelError {
  const head = Buffer.alloc(HEAD_BYTES);
  const file = openSync(path, 'r');
  const length = readSync(file, head, 0, head.length, 0);
  closeSync(file);
  const text = head.toString('latin1', 0, length);
  const isMedia = length > 0 && !isText(text) && (isMediaName(path) || SIGNATURES.some(({ at, bytes }) => text.startsWith(bytes, at)));
  return isMedia
    ? new RunnelError('broken_media', { message: `${path} is damaged or cut off: no video can be read from it.` })
    : new RunnelError('not_video', { message: `${path} is not a video.` });
}

/** Whether bytes are those of a page of text, whatever the file is called: no container goes that long without a zero. */
function isText(head: string): boolean {
  // eslint-disable-next-line no-control-regex -- control characters are what tells bytes from text
  return !/[\x00-\x08\x0e-\x1f\x7f]/.test(head);
}

function isMediaName(path: string): boolean {
  return MEDIA_NAME.test(path);
}
