import { closeSync, openSync, rmSync, statSync } from 'node:fs';
import { RunnelError } from '@runnel/errors';
import { TICKS_PER_SECOND, type Ticks } from '@runnel/media-core';
import { AV_PKT_FLAG_KEY } from 'node-av/constants';
import { Dictionary, FormatContext, Rational, type CodecParameters, type Stream } from 'node-av/lib';
import { asBuffer, check, newPacket } from '../node-av/ffmpeg.ts';

/** Time base in which units are handed over. */
const TICKS = new Rational(1, TICKS_PER_SECOND);

/** One unit of a track. */
interface TrackUnit {
  data: Uint8Array;
  pts: Ticks;
  dts: Ticks;
  keyframe: boolean;
  /** How long it is shown or heard. */
  duration: Ticks;
}

/** An MP4 file that is being written. Times must not be negative; each track's DTS rise. */
export interface Mp4Writer {
  video(unit: TrackUnit): void;
  /** @throws RunnelError `internal` when the file has no audio track. */
  audio(unit: TrackUnit): void;
  /** Writes what is missing to make the file whole; returns its bytes. */
  finish(): number;
  /** Frees what is held, whether finished or not. Idempotent. */
  close(): void;
}

/** The file to write and its tracks. */
export interface Mp4WriterOptions {
  path: string;
  /** Describes the track; called once. */
  video: (parameters: CodecParameters) => void;
  audio: ((parameters: CodecParameters) => void) | null;
  /** Stays playable when the process is killed, at the cost of a few bytes a second. Otherwise the index comes first, for the web. */
  live: boolean;
}

/**
 * Whether a file can be written at `path`, found out by opening it.
 * @throws RunnelError `file_not_writable`.
 */
export function checkWritable(path: string): void {
  let existed = true;
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    existed = found !== undefined;
    // Opening a pipe would wait for its reader, and an MP4 has to be written back and forth.
    if (found !== undefined && !found.isFile() && !found.isDirectory())
      throw Object.assign(new Error('not a regular file'), { code: 'ENXIO' });
    closeSync(openSync(path, 'a'));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const why = {
      ENOENT: 'its folder does not exist',
      ENOTDIR: 'its folder is a file',
      EISDIR: 'it is a folder',
      ENXIO: 'it is a pipe or device, not a file',
      EACCES: 'permission denied',
      EROFS: 'read-only file system',
    }[code ?? ''];
    throw new RunnelError('file_not_writable', { message: `${path} cannot be written: ${why ?? code ?? 'unknown reason'}.`, cause });
  }
  if (!existed) rmSync(path, { force: true });
}

/** @throws RunnelError `file_not_writable` when the file or its header cannot be written. */
export function openMp4Writer({ path, video, audio, live }: Mp4WriterOptions): Mp4Writer {
  checkWritable(path);
  const context = new FormatContext();
  check(context.allocOutputContext2(null, 'mp4', path), 'internal', 'MP4 cannot be written');
  const describe = (fill: (parameters: CodecParameters) => void): Stream => {
    const stream = context.newStream(null);
    fill(stream.codecpar);
    // The container chooses its own tag.
    stream.codecpar.codecTag = 0;
    stream.timeBase = TICKS;
    return stream;
  };
  // The index waits for the first fragment, which tells when each track begins: without that, one that begins later than the other would be
  // written as if its first unit lasted from the start of the file on.
  const settings = Dictionary.fromObject({ movflags: live ? '+hybrid_fragmented+frag_keyframe+delay_moov' : '+faststart' });
  const streams: { video: Stream; audio: Stream | null } = (() => {
    try {
      const both = { video: describe(video), audio: audio === null ? null : describe(audio) };
      check(context.openOutputSync(), 'file_not_writable', `${path} cannot be written`);
      check(context.writeHeaderSync(settings), 'file_not_writable', `The header of ${path} cannot be written`);
      return both;
    } catch (error) {
      context.freeContext();
      throw error;
    } finally {
      settings.free();
    }
  })();
  const packet = newPacket();
  let closed = false;

  const write = (stream: Stream, { data, pts, dts, keyframe, duration }: TrackUnit): void => {
    packet.data = asBuffer(data);
    packet.streamIndex = stream.index;
    packet.pts = BigInt(Math.round(pts));
    packet.dts = BigInt(Math.round(dts));
    packet.duration = BigInt(Math.round(duration));
    if (keyframe) packet.setFlags(AV_PKT_FLAG_KEY);
    packet.rescaleTs(TICKS, stream.timeBase);
    const result = context.writeFrameSync(packet);
    packet.unref();
    check(result, 'file_not_writable', `${path} cannot be written on`);
  };
  const close = (): void => {
    if (closed) return;
    closed = true;
    packet.free();
    context.closeOutputSync();
    context.freeContext();
  };
  return {
    video: (unit) => write(streams.video, unit),
    audio: (unit) => {
      if (streams.audio === null) throw new RunnelError('internal', { message: 'This file has no audio track.' });
      write(streams.audio, unit);
    },
    finish: () => {
      check(context.writeTrailerSync(), 'file_not_writable', `${path} cannot be finished`);
      close();
      return statSync(path).size;
    },
    close,
  };
}
