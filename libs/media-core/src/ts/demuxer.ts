import type { EncodedUnit } from '../frames.ts';
import { PAT_PID, TS_PACKET_BYTES, TS_SYNC_BYTE } from './constants.ts';
import { createStats, type TsDemuxStats } from './demux-stats.ts';
import { PesAssembler } from './pes-assembler.ts';
import { readPesHeader } from './pes.ts';
import type { TsProgram, TsStream } from './program.ts';
import { readPat, readPmt } from './psi-read.ts';
import { SectionAssembler } from './section.ts';
import { TimestampUnwrapper } from './timestamp.ts';
import { createUnitReader } from './unit-reader.ts';

/** Default of `maxUnitBytes`: far above any picture of real-time video. */
export const UNIT_MAX_BYTES = 8 << 20;

/** Where a demuxer delivers. The callbacks are called while bytes are pushed, and must not throw. */
export interface TsDemuxerOptions {
  /** The streams of the program, first and whenever they change. */
  onProgram?: (program: TsProgram) => void;
  /** One access unit (a picture, an AAC frame, an Opus packet), in order of the stream. Its `data` is the receiver's. */
  onUnit: (unit: EncodedUnit, stream: TsStream) => void;
  /** A larger unit is dropped and counted. */
  maxUnitBytes?: number;
}

/** State of one PID. */
interface Lane {
  /** The next continuity counter; -1: any. */
  expected: number;
  /** The last packet with payload, to tell a duplicate from a restart of the counter; where its payload began. */
  readonly last: Uint8Array;
  lastPayloadAt: number;
  readonly kind: { type: 'section'; assembler: SectionAssembler } | { type: 'pes'; assembler: PesAssembler; stream: TsStream };
}

/**
 * A push demuxer for MPEG transport streams (ISO/IEC 13818-1): takes bytes as they come, in pieces of any size, and hands each
 * access unit over as soon as its last byte is there. It never throws for what the bytes say: whatever is broken is skipped and
 * counted in `stats`. The first program of the stream is read.
 */
export class TsDemuxer {
  readonly stats: TsDemuxStats = createStats();
  readonly #options: TsDemuxerOptions;
  /** By PID (13 bits, so at most 8192); PIDs that are not read have none. */
  readonly #lanes: (Lane | undefined)[] = [];
  readonly #clock = new TimestampUnwrapper();
  /** The beginning of a packet whose rest has not come yet; `#carried` bytes of it count. */
  readonly #carry = new Uint8Array(TS_PACKET_BYTES);
  #carried = 0;
  /** Whether the next packet is known to begin where the last one ended. A stream is taken to begin with a packet. */
  #synced = true;
  /** Where the PAT says that the program's table is; -1 before it has come. */
  #pmtPid = -1;
  #program: TsProgram | null = null;
  /** The PMT as it was read last, to tell a repetition from a change. */
  #programBytes = new Uint8Array(0);

  constructor(options: TsDemuxerOptions) {
    this.#options = options;
    this.#lanes[PAT_PID] = sectionLane();
  }

  /** The program that is being read; null until its PMT has come. */
  get program(): TsProgram | null {
    return this.#program;
  }

  /** Takes the next bytes. They are not kept. */
  push(input: Uint8Array): void {
    let bytes = input;
    let at = 0;
    if (this.#carried > 0) {
      // The usual case: the packet is completed in place, and the rest of the bytes is read where it lies, without a copy.
      if (this.#synced && this.#carry[0] === TS_SYNC_BYTE) {
        const missing = TS_PACKET_BYTES - this.#carried;
        this.#carry.set(missing < bytes.length ? bytes.subarray(0, missing) : bytes, this.#carried);
        if (bytes.length < missing) {
          this.#carried += bytes.length;
          return;
        }
        this.#carried = 0;
        this.#packet(this.#carry, 0);
        at = missing;
      } else {
        bytes = new Uint8Array(this.#carried + input.length);
        bytes.set(this.#carry.subarray(0, this.#carried));
        bytes.set(input, this.#carried);
        this.#carried = 0;
      }
    }
    for (;;) {
      if (at >= bytes.length) return;
      if (!this.#synced || bytes[at] !== TS_SYNC_BYTE) {
        at = this.#findSync(bytes, at);
        if (!this.#synced) break;
      }
      if (at + TS_PACKET_BYTES > bytes.length) break;
      this.#packet(bytes, at);
      at += TS_PACKET_BYTES;
    }
    this.#carry.set(bytes.subarray(at));
    this.#carried = bytes.length - at;
  }

  /** The stream is over: hands over what is complete. The demuxer may be fed on afterwards. */
  flush(): void {
    if (this.#carried === TS_PACKET_BYTES) this.#packet(this.#carry, 0);
    this.#carried = 0;
    this.#synced = true;
    for (const lane of this.#lanes) {
      if (lane?.kind.type === 'pes') lane.kind.assembler.finish();
    }
  }

  /** First position that holds a sync byte with another one a packet later. Undecided at the end of the bytes: stays out of sync. */
  #findSync(bytes: Uint8Array, from: number): number {
    if (this.#synced) this.stats.syncLosses += 1;
    this.#synced = false;
    let at = bytes.indexOf(TS_SYNC_BYTE, from);
    while (at !== -1 && at + TS_PACKET_BYTES < bytes.length) {
      if (bytes[at + TS_PACKET_BYTES] === TS_SYNC_BYTE) {
        this.#synced = true;
        return at;
      }
      at = bytes.indexOf(TS_SYNC_BYTE, at + 1);
    }
    return at === -1 ? bytes.length : at;
  }

  #packet(bytes: Uint8Array, at: number): void {
    this.stats.packets += 1;
    const second = bytes[at + 1];
    const control = bytes[at + 3];
    const lane = this.#lanes[((second & 0x1f) << 8) | bytes[at + 2]];
    if (lane === undefined) return;
    let payloadAt = at + 4;
    let flags = 0;
    let stuffing = false;
    if ((control & 0x20) !== 0) {
      const length = bytes[payloadAt];
      payloadAt += 1 + length;
      stuffing = length === 0;
      if (length > 0) {
        flags = bytes[at + 5];
        stuffing = length > adaptationBytes(bytes, at + 5, flags);
      }
    }
    const end = at + TS_PACKET_BYTES;
    // Marked as broken by the sender, scrambled, or an adaptation field that is longer than the packet.
    if ((second & 0x80) !== 0 || (control & 0xc0) !== 0 || payloadAt > end) {
      this.stats.badPackets += 1;
      return;
    }
    // discontinuity_indicator: the sender says that its counter starts anew.
    if ((flags & 0x80) !== 0) lane.expected = -1;
    // Without payload the counter does not move (a PCR on its own), so there is nothing to check.
    if ((control & 0x10) === 0 || payloadAt === end) return;

    const unitStart = (second & 0x40) !== 0;
    const loss = this.#checkContinuity(lane, bytes, at, payloadAt, unitStart);
    if (loss === 'duplicate') return;
    const { kind } = lane;
    if (kind.type === 'section') {
      if (loss === 'lost') kind.assembler.reset();
      this.stats.brokenSections += kind.assembler.push(bytes.subarray(payloadAt, end), unitStart, this.#onSection);
      return;
    }
    // A unit with a hole is worse than none: decoders show it as a smear until the next keyframe.
    if (loss === 'lost') kind.assembler.drop();
    if (unitStart) kind.assembler.begin((flags & 0x40) !== 0);
    kind.assembler.append(bytes, payloadAt, end, stuffing);
  }

  /** ISO/IEC 13818-1, 2.4.3.3: counts up with each payload; one exact repeat is allowed. */
  #checkContinuity(lane: Lane, bytes: Uint8Array, at: number, payloadAt: number, unitStart: boolean): 'fine' | 'lost' | 'duplicate' {
    const counter = bytes[at + 3] & 0x0f;
    // The result decides on this packet; the counter follows it in any case, so that one loss is counted once.
    const { expected } = lane;
    let result: 'fine' | 'lost' = 'fine';
    if (expected !== -1 && counter !== expected) {
      if (counter === ((expected + 15) & 0x0f) && isRepeat(lane, bytes, at, payloadAt)) {
        this.stats.duplicates += 1;
        return 'duplicate';
      }
      // Each segment may come from a muxer of its own (PyTrickle makes a new one); its counters begin at 0 with a whole unit.
      if (unitStart && counter === 0) {
        this.stats.restarts += 1;
      } else {
        this.stats.continuityErrors += 1;
        result = 'lost';
      }
    }
    lane.expected = (counter + 1) & 0x0f;
    for (let from = at, to = 0; to < TS_PACKET_BYTES; from += 1, to += 1) lane.last[to] = bytes[from];
    lane.lastPayloadAt = payloadAt - at;
    return result;
  }

  readonly #onSection = (section: Uint8Array): void => {
    const pat = readPat(section);
    if (pat !== null) {
      if (pat.pmtPid === this.#pmtPid || pat.pmtPid === PAT_PID) return;
      if (this.#pmtPid !== -1) this.#lanes[this.#pmtPid] = undefined;
      this.#pmtPid = pat.pmtPid;
      this.#lanes[pat.pmtPid] = sectionLane();
      return;
    }
    // The same table comes again and again.
    if (sameBytes(section, this.#programBytes)) return;
    const program = readPmt(section);
    if (program === null) return;
    this.#programBytes = section.slice();
    this.#setProgram(program);
  };

  #setProgram(program: TsProgram): void {
    this.#program = program;
    const wanted = new Map(program.streams.map((stream) => [stream.pid, stream]));
    for (const [pid, lane] of this.#lanes.entries()) {
      if (lane?.kind.type !== 'pes') continue;
      const stream = wanted.get(pid);
      if (stream !== undefined && stream.codec === lane.kind.stream.codec) {
        wanted.delete(pid);
        continue;
      }
      // The stream is gone from the program: what has come of its last unit is whole, or never will be.
      lane.kind.assembler.finish();
      this.#lanes[pid] = undefined;
    }
    for (const [pid, stream] of wanted) {
      // A table that puts a stream on the PID of a table is not believed.
      if (this.#lanes[pid] === undefined) this.#lanes[pid] = this.#pesLane(stream);
    }
    this.#options.onProgram?.(program);
  }

  #pesLane(stream: TsStream): Lane {
    const read = createUnitReader(stream);
    const emit = (unit: EncodedUnit): void => {
      this.stats.units += 1;
      this.#options.onUnit(unit, stream);
    };
    const assembler = new PesAssembler({
      maxBytes: this.#options.maxUnitBytes ?? UNIT_MAX_BYTES,
      stats: this.stats,
      onPes: (pes, randomAccess) => {
        const header = readPesHeader(pes);
        if (header === null) {
          this.stats.droppedUnits += 1;
          return;
        }
        // DTS first: it grows with the stream, while PTS jump back and forth around it.
        const dts = this.#clock.unwrap(header.dts);
        const pts = header.pts === header.dts ? dts : this.#clock.unwrap(header.pts);
        if (read(pes.subarray(header.payloadAt), { pts, dts, randomAccess }, emit)) this.stats.droppedUnits += 1;
      },
    });
    return { expected: -1, last: new Uint8Array(TS_PACKET_BYTES), lastPayloadAt: 0, kind: { type: 'pes', assembler, stream } };
  }
}

function sectionLane(): Lane {
  return {
    expected: -1,
    last: new Uint8Array(TS_PACKET_BYTES),
    lastPayloadAt: 0,
    kind: { type: 'section', assembler: new SectionAssembler() },
  };
}

/** Bytes of an adaptation field that its flags account for, from the flags on (ISO/IEC 13818-1, 2.4.3.4); what is beyond is stuffing. */
function adaptationBytes(bytes: Uint8Array, at: number, flags: number): number {
  let used = 1;
  if ((flags & 0x10) !== 0) used += 6;
  if ((flags & 0x08) !== 0) used += 6;
  if ((flags & 0x04) !== 0) used += 1;
  if ((flags & 0x02) !== 0) used += 1 + (bytes[at + used] ?? 0);
  if ((flags & 0x01) !== 0) used += 1 + (bytes[at + used] ?? 0);
  return used;
}

/** The PCR of a repeat may differ, its payload may not. */
function isRepeat(lane: Lane, bytes: Uint8Array, at: number, payloadAt: number): boolean {
  if (payloadAt - at !== lane.lastPayloadAt) return false;
  for (let offset = lane.lastPayloadAt; offset < TS_PACKET_BYTES; offset += 1) {
    if (bytes[at + offset] !== lane.last[offset]) return false;
  }
  return true;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
