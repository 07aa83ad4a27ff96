import { wrapOpus } from '../codec/opus.ts';
import type { EncodedUnit, Ticks } from '../frames.ts';
import { AUDIO_PID, PAT_PID, PMT_PID, SDT_PID, TS_PACKET_BYTES, TS_SYNC_BYTE, VIDEO_PID } from './constants.ts';
import { patSection, pmtSection, sdtSection, type ProgramLayout } from './psi-write.ts';
import { wrapTicks, writeTimestamp } from './timestamp.ts';

/** How far the program clock runs behind the decode times: what a hardware receiver may buffer. */
const PCR_LEAD_TICKS = 9_000;
/** Payload of a packet without adaptation field. */
const PAYLOAD_BYTES = 184;
const PTS_PREFIX = 0b0010;
const PTS_WITH_DTS_PREFIX = 0b0011;
const DTS_PREFIX = 0b0001;

/** Which streams the muxer announces in each segment. */
export interface TsMuxerOptions extends ProgramLayout {
  /** When given, each segment also names the service with an SDT. */
  serviceName?: string;
}

/**
 * Writes MPEG transport streams (ISO/IEC 13818-1) for low latency: one unit in, its packets out, nothing held back. PES lengths are
 * set, so that a reader need not wait for the next unit; a picture too long for the field ends in stuffing instead.
 */
export class TsMuxer {
  readonly #layout: ProgramLayout;
  readonly #tables: { pid: number; section: Uint8Array }[];
  /** Continuity counter of each PID, which goes on from segment to segment. */
  readonly #counters = new Map<number, number>();

  constructor(options: TsMuxerOptions) {
    this.#layout = options;
    this.#tables = [
      ...(options.serviceName === undefined ? [] : [{ pid: SDT_PID, section: sdtSection(options.serviceName) }]),
      { pid: PAT_PID, section: patSection() },
      { pid: PMT_PID, section: pmtSection(options) },
    ];
  }

  /** The tables that begin each segment, so that a reader can start with any of them. */
  segmentStart(): Uint8Array {
    const bytes = new Uint8Array(this.#tables.length * TS_PACKET_BYTES).fill(0xff);
    this.#tables.forEach(({ pid, section }, index) => {
      const at = index * TS_PACKET_BYTES;
      this.#header(bytes, at, { pid, unitStart: true, adaptation: false });
      // pointer_field: the section begins at once.
      bytes[at + 4] = 0;
      bytes.set(section, at + 5);
    });
    return bytes;
  }

  /** Packets of a picture. @throws RangeError when the program has no video. */
  video(unit: EncodedUnit): Uint8Array {
    if (this.#layout.video === null) throw new RangeError('This program has no video.');
    return this.#unit(unit, { pid: VIDEO_PID, streamId: 0xe0, payload: unit.data, pcr: unit.dts, video: true });
  }

  /** Packets of an ADTS frame or an Opus packet. @throws RangeError when the program has no audio, or the unit is too long for a PES packet. */
  audio(unit: EncodedUnit): Uint8Array {
    const { audio, video } = this.#layout;
    if (audio === null) throw new RangeError('This program has no audio.');
    const opus = audio.codec === 'opus';
    return this.#unit(unit, {
      pid: AUDIO_PID,
      // Opus is private_stream_1.
      streamId: opus ? 0xbd : 0xc0,
      payload: opus ? wrapOpus(unit.data) : unit.data,
      pcr: video === null ? unit.dts : null,
      video: false,
    });
  }

  #unit(
    { pts, dts, keyframe }: EncodedUnit,
    { pid, streamId, payload, pcr, video }: { pid: number; streamId: number; payload: Uint8Array; pcr: Ticks | null; video: boolean },
  ): Uint8Array {
    // 9 bytes of header, 5 for each time (ISO/IEC 13818-1, 2.4.3.6).
    const withDts = dts !== pts;
    const pesHeaderBytes = withDts ? 19 : 14;
    // PES_packet_length counts from behind itself; a value that does not fit is written as 0, which only video may have.
    const pesLength = pesHeaderBytes - 6 + payload.length;
    const isLong = pesLength > 0xffff;
    if (isLong && !video) throw new RangeError(`A PES packet cannot carry ${payload.length} bytes of audio.`);
    // Flags byte and PCR of the first packet; the length byte is not counted in an adaptation field.
    const randomAccess = video && keyframe;
    let firstField = pcr === null ? (randomAccess ? 1 : -1) : 7;
    const total = pesHeaderBytes + payload.length;
    // A long unit's end shows by stuffing alone: one byte more in the first packet when it would fit exactly.
    if (isLong && (total - (PAYLOAD_BYTES - 1 - firstField)) % PAYLOAD_BYTES === 0) firstField += 1;
    const firstRoom = PAYLOAD_BYTES - 1 - firstField;
    // Counted beforehand, so that a unit costs one allocation.
    const packets = total <= firstRoom ? 1 : 1 + Math.ceil((total - firstRoom) / PAYLOAD_BYTES);
    const bytes = new Uint8Array(packets * TS_PACKET_BYTES);

    let left = total;
    let sent = 0;
    for (let index = 0; index < packets; index += 1) {
      const at = index * TS_PACKET_BYTES;
      // -1: no adaptation field. In the last packet it grows by what the payload leaves free: that is the stuffing.
      const field = Math.max(index === 0 ? firstField : -1, PAYLOAD_BYTES - 1 - left);
      this.#header(bytes, at, { pid, unitStart: index === 0, adaptation: field >= 0 });
      let to = at + 4;
      if (field >= 0) {
        bytes[to] = field;
        if (field > 0) {
          bytes.fill(0xff, to + 1, to + 1 + field);
          bytes[to + 1] = index === 0 ? (randomAccess ? 0x40 : 0) | (pcr === null ? 0 : 0x10) : 0;
          if (index === 0 && pcr !== null) writePcr(bytes, to + 2, pcr - PCR_LEAD_TICKS);
        }
        to += 1 + field;
      }
      left -= at + TS_PACKET_BYTES - to;
      if (index === 0) {
        writePesHeader(bytes, to, { streamId, length: isLong ? 0 : pesLength, pts, dts: withDts ? dts : null });
        to += pesHeaderBytes;
      }
      const room = at + TS_PACKET_BYTES - to;
      bytes.set(payload.subarray(sent, sent + room), to);
      sent += room;
    }
    return bytes;
  }

  #header(bytes: Uint8Array, at: number, { pid, unitStart, adaptation }: { pid: number; unitStart: boolean; adaptation: boolean }): void {
    const counter = this.#counters.get(pid) ?? 0;
    this.#counters.set(pid, (counter + 1) & 0x0f);
    bytes[at] = TS_SYNC_BYTE;
    bytes[at + 1] = (unitStart ? 0x40 : 0) | (pid >> 8);
    bytes[at + 2] = pid;
    bytes[at + 3] = (adaptation ? 0x30 : 0x10) | counter;
  }
}

function writePesHeader(
  bytes: Uint8Array,
  at: number,
  { streamId, length, pts, dts }: { streamId: number; length: number; pts: Ticks; dts: Ticks | null },
): void {
  bytes[at + 2] = 1;
  bytes[at + 3] = streamId;
  bytes[at + 4] = length >> 8;
  bytes[at + 5] = length;
  // data_alignment_indicator: a unit begins right after this header.
  bytes[at + 6] = 0x84;
  bytes[at + 7] = dts === null ? 0x80 : 0xc0;
  bytes[at + 8] = dts === null ? 5 : 10;
  writeTimestamp(bytes, at + 9, dts === null ? PTS_PREFIX : PTS_WITH_DTS_PREFIX, pts);
  if (dts !== null) writeTimestamp(bytes, at + 14, DTS_PREFIX, dts);
}

/** Program clock reference: 33 bits of 90 kHz and an extension of 27 MHz that stays 0 (ISO/IEC 13818-1, 2.4.3.5). */
function writePcr(bytes: Uint8Array, at: number, ticks: Ticks): void {
  const base = wrapTicks(ticks);
  const high = Math.floor(base / 2);
  bytes[at] = high >>> 24;
  bytes[at + 1] = high >>> 16;
  bytes[at + 2] = high >>> 8;
  bytes[at + 3] = high;
  bytes[at + 4] = ((base & 1) << 7) | 0x7e;
  bytes[at + 5] = 0;
}
