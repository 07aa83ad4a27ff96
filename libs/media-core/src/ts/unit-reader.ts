import { ADTS_FRAME_MAX_BYTES, AAC_FRAME_SAMPLES, readAdtsHeader } from '../codec/adts.ts';
import { inspectAnnexB } from '../codec/annexb.ts';
import { OPUS_SAMPLE_RATE, opusPacketSamples, readOpusControl } from '../codec/opus.ts';
import { TICKS_PER_SECOND, type EncodedUnit, type Ticks } from '../frames.ts';
import type { TsStream } from './program.ts';

/** Turns the payload of one PES packet into access units; returns whether anything in it was malformed. */
export type UnitReader = (
  payload: Uint8Array,
  times: { pts: Ticks; dts: Ticks; randomAccess: boolean },
  onUnit: (unit: EncodedUnit) => void,
) => boolean;

/** The reader for a stream: one picture a PES packet, several audio frames in one. */
export function createUnitReader(stream: TsStream): UnitReader {
  if (stream.kind === 'audio') return stream.codec === 'aac' ? createAdtsReader() : readOpusUnits;
  const { codec } = stream;
  return (payload, { pts, dts, randomAccess }, onUnit) => {
    if (payload.length === 0) return true;
    const facts = inspectAnnexB(codec, payload);
    // Streams with open groups of pictures have no IDR but in the first; their encoder marks where one can begin.
    const keyframe = facts.keyframe || (randomAccess && facts.parameterSets);
    // A copy: the assembler writes the next unit over these bytes.
    onUnit({ data: payload.slice(), pts, dts, keyframe });
    return false;
  };
}

function readOpusUnits(payload: Uint8Array, { pts }: { pts: Ticks }, onUnit: (unit: EncodedUnit) => void): boolean {
  let time = pts;
  for (let at = 0; at < payload.length;) {
    const packet = readOpusControl(payload, at);
    if (packet === null) return true;
    const data = payload.slice(packet.start, packet.end);
    onUnit({ data, pts: time, dts: time, keyframe: true });
    time += (opusPacketSamples(data) * TICKS_PER_SECOND) / OPUS_SAMPLE_RATE;
    at = packet.end;
  }
  return false;
}

/** ADTS frames need not be aligned with PES packets: a tail waits for the next one. PTS is that of the first frame that begins in the PES packet. */
function createAdtsReader(): UnitReader {
  let tail = new Uint8Array(0);
  let tailPts: Ticks = 0;
  return (payload, { pts }, onUnit) => {
    let data = payload;
    let starts = 0;
    if (tail.length > 0) {
      data = new Uint8Array(tail.length + payload.length);
      data.set(tail);
      data.set(payload, tail.length);
      // The first frame began in the PES packet before, whose time it keeps; this one's PTS counts from `starts` on.
      starts = tail.length;
    }
    let malformed = false;
    let time = starts > 0 ? tailPts : pts;
    let aligned = starts === 0;
    let at = 0;
    while (at + 7 <= data.length) {
      if (!aligned && at >= starts) {
        time = pts;
        aligned = true;
      }
      const header = readAdtsHeader(data, at);
      if (header === null) {
        malformed = true;
        // The first byte of the syncword; what follows it is checked when the loop comes there.
        const next = data.indexOf(0xff, at + 1);
        at = next === -1 ? data.length : next;
        continue;
      }
      if (at + header.frameBytes > data.length) break;
      onUnit({ data: data.slice(at, at + header.frameBytes), pts: Math.round(time), dts: Math.round(time), keyframe: true });
      time += (AAC_FRAME_SAMPLES * TICKS_PER_SECOND) / header.sampleRate;
      at += header.frameBytes;
    }
    // No frame is longer, so no more can be needed to complete one.
    tail = data.slice(at, at + ADTS_FRAME_MAX_BYTES);
    tailPts = !aligned && at >= starts ? pts : time;
    return malformed;
  };
}
