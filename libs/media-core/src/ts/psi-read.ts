import { STREAM_TYPE } from './constants.ts';
import type { TsProgram, TsStream } from './program.ts';

const PAT_TABLE_ID = 0x00;
const PMT_TABLE_ID = 0x02;
const REGISTRATION_TAG = 0x05;
const EXTENSION_TAG = 0x7f;
/** `descriptor_tag_extension` under which "Opus in MPEG-TS" puts the channel configuration. */
const OPUS_TAG_EXTENSION = 0x80;
const OPUS_FORMAT = 0x4f707573;
/** Streams of a program that are read; a table that lists hundreds must not cost a buffer each. */
const STREAMS_MAX = 8;

/** The first program of a PAT section (ISO/IEC 13818-1, 2.4.4.3); null when it is another table, not in force yet, or lists none. */
export function readPat(section: Uint8Array): { programNumber: number; pmtPid: number } | null {
  if (section[0] !== PAT_TABLE_ID || !isCurrent(section)) return null;
  for (let at = 8; at + 4 <= section.length - 4; at += 4) {
    const programNumber = u16(section, at);
    // Program 0 is the network table, not a program.
    if (programNumber !== 0) return { programNumber, pmtPid: u16(section, at + 2) & 0x1fff };
  }
  return null;
}

/** A PMT section (ISO/IEC 13818-1, 2.4.4.8); null when it is another table or not in force yet. */
export function readPmt(section: Uint8Array): TsProgram | null {
  if (section[0] !== PMT_TABLE_ID || section.length < 16 || !isCurrent(section)) return null;
  const end = section.length - 4;
  const streams: TsStream[] = [];
  const ignored: { pid: number; streamType: number }[] = [];
  let at = 12 + (u16(section, 10) & 0x0fff);
  while (at + 5 <= end) {
    const streamType = section[at];
    const pid = u16(section, at + 1) & 0x1fff;
    const infoEnd = Math.min(end, at + 5 + (u16(section, at + 3) & 0x0fff));
    const stream = describeStream(streamType, pid, section.subarray(at + 5, infoEnd));
    if (stream === null || streams.length === STREAMS_MAX) ignored.push({ pid, streamType });
    else streams.push(stream);
    at = infoEnd;
  }
  return { programNumber: u16(section, 3), pcrPid: u16(section, 8) & 0x1fff, streams, ignored };
}

function describeStream(streamType: number, pid: number, descriptors: Uint8Array): TsStream | null {
  switch (streamType) {
    case STREAM_TYPE.h264:
      return { kind: 'video', pid, codec: 'h264' };
    case STREAM_TYPE.hevc:
      return { kind: 'video', pid, codec: 'hevc' };
    case STREAM_TYPE.aac:
      return { kind: 'audio', pid, codec: 'aac', channels: 0 };
    case STREAM_TYPE.private: {
      const channels = opusChannels(descriptors);
      return channels === null ? null : { kind: 'audio', pid, codec: 'opus', channels };
    }
    default:
      return null;
  }
}

/** Channel count of an Opus stream; null when the descriptors do not say Opus. Code 0 is dual mono, 1 to 8 the count itself. */
function opusChannels(descriptors: Uint8Array): number | null {
  let isOpus = false;
  let channels = 2;
  for (let at = 0; at + 2 <= descriptors.length; at += 2 + descriptors[at + 1]) {
    const body = descriptors.subarray(at + 2, at + 2 + descriptors[at + 1]);
    if (descriptors[at] === REGISTRATION_TAG && body.length >= 4) isOpus ||= u16(body, 0) * 0x10000 + u16(body, 2) === OPUS_FORMAT;
    if (descriptors[at] === EXTENSION_TAG && body[0] === OPUS_TAG_EXTENSION && body.length >= 2) {
      const code = body[1];
      if (code >= 1 && code <= 8) channels = code;
    }
  }
  return isOpus ? channels : null;
}

/** current_next_indicator; a section of the next version is not for now. */
function isCurrent(section: Uint8Array): boolean {
  return section.length >= 12 && (section[5] & 1) === 1;
}

function u16(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 8) | bytes[at + 1];
}
