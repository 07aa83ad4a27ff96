import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { wrapAdts } from '../codec/adts.ts';
import type { EncodedUnit } from '../frames.ts';
import { TsDemuxer } from './demuxer.ts';
import { TsMuxer, type TsMuxerOptions } from './muxer.ts';

interface Muxed {
  options: TsMuxerOptions;
  bytes: Uint8Array;
  video: EncodedUnit[];
  audio: EncodedUnit[];
}

const concat = (pieces: Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(pieces));

/** A picture of `size` bytes that cannot be mistaken for another. */
function picture(index: number, size: number, keyframe: boolean): Uint8Array {
  const head = keyframe ? [0, 0, 1, 0x67, 5, 0, 0, 1, 0x68, 5, 0, 0, 1, 0x65] : [0, 0, 1, 0x41];
  const data = new Uint8Array(head.length + size);
  data.set(head);
  for (let at = head.length; at < data.length; at += 1) data[at] = 2 + ((at * 7 + index * 13) % 250);
  return data;
}

/** Units with their bytes as text: far quicker to compare than element by element. */
const facts = (units: EncodedUnit[], turn = 0) =>
  units.map(({ data, pts, dts, keyframe }) => ({ data: Buffer.from(data).toString('latin1'), pts: pts + turn, dts: dts + turn, keyframe }));

function mux(options: TsMuxerOptions, sizes: readonly number[], firstPts: number, framesPerSegment: number): Muxed {
  const muxer = new TsMuxer(options);
  const pieces: Uint8Array[] = [];
  const video: EncodedUnit[] = [];
  const audio: EncodedUnit[] = [];
  sizes.forEach((size, index) => {
    const keyframe = index % framesPerSegment === 0;
    if (keyframe) pieces.push(muxer.segmentStart());
    const pts = firstPts + index * 3003;
    if (options.video !== null) {
      const unit = { data: picture(index, size, keyframe), pts: pts + (index % 3) * 3003, dts: pts, keyframe };
      video.push(unit);
      pieces.push(muxer.video(unit));
    }
    if (options.audio !== null) {
      const raw = new Uint8Array(1 + (size % 1200)).fill(index).fill(0xf8, 0, 1);
      const data = options.audio.codec === 'aac' ? wrapAdts(raw, { sampleRate: 48_000, channels: 2 }) : raw;
      const unit = { data, pts: pts + 11, dts: pts + 11, keyframe: true };
      audio.push(unit);
      pieces.push(muxer.audio(unit));
    }
  });
  return { options, bytes: concat(pieces), video, audio };
}

function demux(bytes: Uint8Array, cuts: readonly number[]) {
  const video: EncodedUnit[] = [];
  const audio: EncodedUnit[] = [];
  const demuxer = new TsDemuxer({ onUnit: (unit, stream) => (stream.kind === 'video' ? video : audio).push(unit) });
  let at = 0;
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    demuxer.push(bytes.subarray(at, Math.max(at, cut)));
    at = Math.max(at, cut);
  }
  demuxer.push(bytes.subarray(at));
  demuxer.flush();
  return { video, audio, stats: demuxer.stats, program: demuxer.program };
}

const layouts: TsMuxerOptions[] = [
  { video: 'h264', audio: { codec: 'aac', channels: 2 } },
  { video: 'h264', audio: { codec: 'opus', channels: 1 }, serviceName: 'Test' },
  { video: 'h264', audio: null },
  { video: null, audio: { codec: 'opus', channels: 2 } },
];
const muxed = fc
  .record({
    options: fc.constantFrom(...layouts),
    // Sizes around the packet and PES length limits, so that every kind of last packet occurs.
    sizes: fc.array(fc.oneof(fc.integer({ min: 1, max: 1200 }), fc.integer({ min: 65_480, max: 65_560 })), { minLength: 1, maxLength: 12 }),
    firstPts: fc.oneof(fc.integer({ min: 0, max: 2 ** 31 }), fc.integer({ min: 2 ** 33 - 20_000, max: 2 ** 33 - 1 })),
    framesPerSegment: fc.integer({ min: 1, max: 4 }),
  })
  .map(({ options, sizes, firstPts, framesPerSegment }) => mux(options, sizes, firstPts, framesPerSegment));

describe('muxer and demuxer', () => {
  it('give back the same units, times and keyframes, however the bytes are cut', () => {
    fc.assert(
      fc.property(muxed, fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 30 }), (stream, shares) => {
        const read = demux(
          stream.bytes,
          shares.map((share) => Math.floor(share * stream.bytes.length)),
        );
        expect(stream.bytes.length % 188).toBe(0);
        // Which turn of the 33-bit clock the stream is in cannot be known, only that all its times are in the same.
        const first = (units: { video: EncodedUnit[]; audio: EncodedUnit[] }): number => (units.video[0] ?? units.audio[0]).dts;
        const turn = Math.round((first(stream) - first(read)) / 2 ** 33) * 2 ** 33;
        expect(facts(read.video, turn)).toEqual(facts(stream.video));
        expect(facts(read.audio, turn)).toEqual(facts(stream.audio));
        expect(read.stats).toMatchObject({ syncLosses: 0, continuityErrors: 0, droppedUnits: 0, badPackets: 0, brokenSections: 0 });
      }),
      { numRuns: 60 },
    );
  }, 60_000);

  it('hand a unit with known length over with its last byte', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), (size) => {
        const { bytes } = mux({ video: 'h264', audio: null }, [size], 90_000, 1);
        let units = 0;
        const demuxer = new TsDemuxer({ onUnit: () => (units += 1) });
        demuxer.push(bytes.subarray(0, -1));
        expect(units).toBe(0);
        demuxer.push(bytes.subarray(-1));
        expect(units).toBe(1);
      }),
    );
  });

  it('read a stream on from any place in it', () => {
    const { bytes, video } = mux(
      layouts[0],
      Array.from({ length: 24 }, (_, index) => 300 + index * 40),
      0,
      4,
    );
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Math.floor(bytes.length / 3) }), (start) => {
        const read = demux(bytes.subarray(start), []);
        expect(read.video.length).toBeGreaterThanOrEqual(12);
        expect(facts(read.video)).toEqual(facts(video.slice(-read.video.length)));
      }),
    );
  });

  it('never throw for damaged bytes, deliver no altered length of stream, and recover', () => {
    const whole = mux(
      layouts[0],
      Array.from({ length: 20 }, (_, index) => 200 + index * 60),
      500,
      4,
    );
    const clean = mux(
      layouts[0],
      Array.from({ length: 8 }, () => 900),
      200_000,
      4,
    );
    fc.assert(
      fc.property(
        fc.array(fc.record({ at: fc.nat(whole.bytes.length - 1), value: fc.nat(255) }), { minLength: 1, maxLength: 300 }),
        fc.array(fc.record({ at: fc.nat(whole.bytes.length - 1), length: fc.nat(500) }), { maxLength: 3 }),
        (flips, holes) => {
          let bytes: Uint8Array = whole.bytes.slice();
          for (const { at, value } of flips) bytes[at] = value;
          for (const { at, length } of holes) bytes = concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
          const units: EncodedUnit[] = [];
          const demuxer = new TsDemuxer({ onUnit: (unit, stream) => (stream.kind === 'video' ? units.push(unit) : undefined) });
          demuxer.push(bytes);
          const before = units.length;
          demuxer.push(clean.bytes);
          demuxer.flush();
          const after = units.slice(before);
          // The cut may cost what stands at the seam, not the second half of what follows it.
          expect(after.slice(-4).map(({ data }) => data)).toEqual(clean.video.slice(-4).map(({ data }) => data));
        },
      ),
      { numRuns: 150 },
    );
  }, 60_000);

  it('never throw for noise', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 2000 }), { maxLength: 20 }), (pieces) => {
        const demuxer = new TsDemuxer({ onUnit: () => undefined });
        for (const piece of pieces) {
          for (let at = 0; at < piece.length; at += 188) piece[at] = 0x47;
          demuxer.push(piece);
        }
        demuxer.flush();
      }),
    );
  });
});
