import type { AudioCodec, VideoCodec } from '../frames.ts';
import { AUDIO_PID, PMT_PID, STREAM_TYPE, VIDEO_PID } from './constants.ts';
import { crc32 } from './crc32.ts';

const PROGRAM_NUMBER = 1;
const TRANSPORT_STREAM_ID = 1;

/** What a muxed program holds. */
export interface ProgramLayout {
  video: VideoCodec | null;
  /** `channels` is written for Opus (1 to 8). */
  audio: { codec: AudioCodec; channels: number } | null;
}

/** PAT with one program (ISO/IEC 13818-1, 2.4.4.3). */
export function patSection(): Uint8Array {
  return section(0x00, 0xb0, TRANSPORT_STREAM_ID, [0x00, PROGRAM_NUMBER, 0xe0 | (PMT_PID >> 8), PMT_PID & 0xff]);
}

/** PMT of that program (ISO/IEC 13818-1, 2.4.4.8); Opus with the two descriptors of "Opus in MPEG-TS". */
export function pmtSection({ video, audio }: ProgramLayout): Uint8Array {
  const pcrPid = video === null ? AUDIO_PID : VIDEO_PID;
  const body = [0xe0 | (pcrPid >> 8), pcrPid & 0xff, 0xf0, 0x00];
  if (video !== null) body.push(...stream(STREAM_TYPE[video], VIDEO_PID, []));
  if (audio?.codec === 'aac') body.push(...stream(STREAM_TYPE.aac, AUDIO_PID, []));
  if (audio?.codec === 'opus')
    body.push(...stream(STREAM_TYPE.private, AUDIO_PID, [0x05, 4, 0x4f, 0x70, 0x75, 0x73, 0x7f, 2, 0x80, audio.channels]));
  return section(0x02, 0xb0, PROGRAM_NUMBER, body);
}

/** SDT that names the service (ETSI EN 300 468, 5.2.3), as some players show it. */
export function sdtSection(serviceName: string): Uint8Array {
  const name = [...new TextEncoder().encode(serviceName)].slice(0, 64);
  const provider = [...new TextEncoder().encode('Runnel')];
  // service_descriptor: digital television, provider, name.
  const descriptor = [0x48, 3 + provider.length + name.length, 0x01, provider.length, ...provider, name.length, ...name];
  const entry = [0x00, PROGRAM_NUMBER, 0xfc, 0x80, descriptor.length, ...descriptor];
  return section(0x42, 0xf0, TRANSPORT_STREAM_ID, [0xff, 0x01, 0xff, ...entry]);
}

function stream(streamType: number, pid: number, descriptors: number[]): number[] {
  return [streamType, 0xe0 | (pid >> 8), pid & 0xff, 0xf0, descriptors.length, ...descriptors];
}

function section(tableId: number, flags: number, idExtension: number, body: number[]): Uint8Array {
  const length = 5 + body.length + 4;
  // Version 0, in force, section 0 of 0.
  const head = [tableId, flags | (length >> 8), length & 0xff, idExtension >> 8, idExtension & 0xff, 0xc1, 0x00, 0x00];
  const bytes = Uint8Array.from([...head, ...body, 0, 0, 0, 0]);
  new DataView(bytes.buffer).setUint32(bytes.length - 4, crc32(bytes.subarray(0, -4)));
  return bytes;
}
