import { describe, expect, it } from '@jest/globals';
import { readAdtsHeader, wrapAdts } from './adts.ts';
import { inspectAnnexB, parameterSets } from './annexb.ts';
import { opusPacketSamples, readOpusControl, wrapOpus } from './opus.ts';

const SPS = [0, 0, 0, 1, 0x67, 1, 2, 3];
const PPS = [0, 0, 1, 0x68, 9];
const IDR = [0, 0, 1, 0x65, 7, 7];
const SLICE = [0, 0, 1, 0x41, 7, 7];
const AUD = [0, 0, 0, 1, 0x09, 0xf0];

describe('inspectAnnexB', () => {
  it('finds keyframes and parameter sets of H.264', () => {
    expect(inspectAnnexB('h264', Uint8Array.from([...AUD, ...SPS, ...PPS, ...IDR]))).toEqual({ keyframe: true, parameterSets: true });
    expect(inspectAnnexB('h264', Uint8Array.from([...AUD, ...SLICE, ...IDR]))).toEqual({ keyframe: false, parameterSets: false });
    expect(inspectAnnexB('h264', Uint8Array.from(IDR))).toEqual({ keyframe: true, parameterSets: false });
    expect(inspectAnnexB('h264', Uint8Array.from([0, 0, 1]))).toEqual({ keyframe: false, parameterSets: false });
  });

  it('finds random access pictures of HEVC', () => {
    const unit = [0, 0, 1, 0x40, 1, 0, 0, 1, 0x42, 1, 0, 0, 1, 0x44, 1, 0, 0, 1, 0x2a, 1];
    expect(inspectAnnexB('hevc', Uint8Array.from(unit))).toEqual({ keyframe: true, parameterSets: true });
    expect(inspectAnnexB('hevc', Uint8Array.from([0, 0, 1, 0x02, 1]))).toEqual({ keyframe: false, parameterSets: false });
  });
});

describe('parameterSets', () => {
  it('takes SPS and PPS out, without the zeros that belong to the next start code', () => {
    expect(parameterSets('h264', Uint8Array.from([...AUD, ...SPS, 0, ...PPS, ...IDR]))).toEqual(
      Uint8Array.from([0, 0, 0, 1, 0x67, 1, 2, 3, 0, 0, 0, 1, 0x68, 9]),
    );
    expect(parameterSets('h264', Uint8Array.from(SLICE))).toBeNull();
  });
});

describe('ADTS', () => {
  it('says rate, channels and length of the frame that it wraps', () => {
    const frame = wrapAdts(new Uint8Array(1000), { sampleRate: 44_100, channels: 2 });
    expect(readAdtsHeader(frame)).toEqual({
      frameBytes: 1007,
      headerBytes: 7,
      sampleRate: 44_100,
      channels: 2,
      objectType: 2,
      sampleRateIndex: 4,
    });
    expect(readAdtsHeader(frame.subarray(0, 6))).toBeNull();
    expect(readAdtsHeader(frame, 1)).toBeNull();
  });

  it('refuses what it cannot say', () => {
    expect(() => wrapAdts(new Uint8Array(9), { sampleRate: 12_345, channels: 2 })).toThrow(RangeError);
    expect(() => wrapAdts(new Uint8Array(9000), { sampleRate: 48_000, channels: 2 })).toThrow(RangeError);
  });
});

describe('Opus in a transport stream', () => {
  it('wraps packets of any length', () => {
    for (const length of [1, 254, 255, 256, 510, 1275]) {
      const packet = new Uint8Array(length).fill(3);
      const wrapped = wrapOpus(packet);
      const found = readOpusControl(wrapped, 0)!;
      expect(wrapped.slice(found.start, found.end)).toEqual(packet);
    }
  });

  it('skips trims and extensions of the control header, and refuses a cut packet', () => {
    const header = [0x7f, 0xe0 | 0x10 | 0x08 | 0x04, 2, 0, 1, 0, 2, 3, 9, 9, 9, 0xaa, 0xbb];
    expect(readOpusControl(Uint8Array.from(header), 0)).toEqual({ start: 11, end: 13 });
    expect(readOpusControl(Uint8Array.from(header.slice(0, -1)), 0)).toBeNull();
    expect(readOpusControl(Uint8Array.from([0x7f, 0xc0, 1, 1]), 0)).toBeNull();
  });

  it('knows the length of a packet from its TOC byte', () => {
    expect(
      [[0xf8], [0xf9], [0x78], [0x00], [0x18], [0xfb, 3], [0xfb, 63], []].map((packet) => opusPacketSamples(Uint8Array.from(packet))),
    ).toEqual([960, 1920, 960, 480, 2880, 2880, 0, 0]);
  });
});
