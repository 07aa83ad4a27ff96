import { RunnelError, type ErrorCode } from '@runnel/errors';
import { AV_LOG_FATAL, AV_NOPTS_VALUE } from 'node-av/constants';
import { FFmpegError, Log, Packet } from 'node-av/lib';

// Broken input is our callers' business and counted there; FFmpeg's own lines on stderr would be thousands.
Log.setLevel(AV_LOG_FATAL);

/** Throws a RunnelError of `code` for a negative return value of FFmpeg, with FFmpeg's words for it. */
export function check(result: number, code: ErrorCode, what: string): number {
  if (result >= 0) return result;
  throw new RunnelError(code, { message: `${what}: ${new FFmpegError(result).message}.`, details: { ffmpeg: result } });
}

/** A view on the same bytes as FFmpeg's binding takes them. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A new packet without data. */
export function newPacket(): Packet {
  const packet = new Packet();
  packet.alloc();
  return packet;
}

/** Copies what a packet holds: its own memory is reused. */
export function copyData(packet: Packet): Uint8Array {
  return packet.data === null ? new Uint8Array(0) : new Uint8Array(packet.data);
}

/** FFmpeg's time as a number; null where it has none. */
export function timeOf(value: bigint): number | null {
  return value === AV_NOPTS_VALUE ? null : Number(value);
}

/** Makes a `close` that may be called again: native memory must be freed once only. */
export function once(free: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    free();
  };
}
