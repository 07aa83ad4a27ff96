import { describe, expect, it } from '@jest/globals';
import { crc32 } from './crc32.ts';
import { patSection, pmtSection, sdtSection } from './psi-write.ts';
import { readPat, readPmt } from './psi-read.ts';
import { SectionAssembler } from './section.ts';
import { SegmentCutter } from './cutter.ts';
import { readTimestamp, TimestampUnwrapper, wrapTicks, writeTimestamp } from './timestamp.ts';

describe('PSI sections', () => {
  it('have the CRC of ISO 13818-1 (check value of CRC-32/MPEG-2)', () => {
    expect(crc32(new TextEncoder().encode('123456789'))).toBe(0x0376e6e7);
    for (const section of [patSection(), pmtSection({ video: 'h264', audio: null }), sdtSection('x')]) expect(crc32(section)).toBe(0);
  });

  it('read back what was written, Opus with its channels', () => {
    expect(readPat(patSection())).toEqual({ programNumber: 1, pmtPid: 0x1000 });
    expect(readPmt(pmtSection({ video: 'hevc', audio: { codec: 'opus', channels: 2 } }))).toEqual({
      programNumber: 1,
      pcrPid: 0x100,
      streams: [
        { kind: 'video', pid: 0x100, codec: 'hevc' },
        { kind: 'audio', pid: 0x101, codec: 'opus', channels: 2 },
      ],
      ignored: [],
    });
    expect(readPmt(pmtSection({ video: null, audio: { codec: 'aac', channels: 2 } }))).toMatchObject({ pcrPid: 0x101 });
  });

  it('of a version that is not in force yet are left alone', () => {
    const next = patSection();
    next[5] = next[5] & 0xfe;
    expect(readPat(next)).toBeNull();
  });

  it('may span packets, follow one another, and are dropped when their CRC is wrong', () => {
    const assembler = new SectionAssembler();
    const found: Uint8Array[] = [];
    const take = (section: Uint8Array): unknown => found.push(section.slice());
    const one = patSection();
    const two = pmtSection({ video: 'h264', audio: null });
    const bytes = Uint8Array.from([0, ...one, ...two]);
    expect(assembler.push(bytes.subarray(0, 9), true, take)).toBe(0);
    // pointer_field 5: five bytes that end the open section, then the next.
    expect(assembler.push(Uint8Array.from([...bytes.subarray(9), 0xff, 0xff]), false, take)).toBe(0);
    expect(found).toEqual([one, two]);
    const broken = one.slice();
    broken[9] = broken[9] ^ 1;
    expect(assembler.push(Uint8Array.from([0, ...broken]), true, take)).toBe(1);
    expect(found).toHaveLength(2);
  });
});

describe('timestamps', () => {
  it('keep all 33 bits', () => {
    const bytes = new Uint8Array(5);
    for (const ticks of [0, 1, 90_000, 2 ** 30 - 1, 2 ** 32 + 12_345, 2 ** 33 - 1]) {
      writeTimestamp(bytes, 0, 2, ticks);
      expect(readTimestamp(bytes, 0)).toBe(ticks);
    }
    bytes[2] = bytes[2] & 0xfe;
    expect(readTimestamp(bytes, 0)).toBeNull();
  });

  it('go on past the wrap, and back across it for the stream that is behind', () => {
    const clock = new TimestampUnwrapper();
    expect([2 ** 33 - 10, 5, 2 ** 33 - 3, 3005].map((ticks) => clock.unwrap(ticks))).toEqual([
      2 ** 33 - 10,
      2 ** 33 + 5,
      2 ** 33 - 3,
      2 ** 33 + 3005,
    ]);
    const behind = new TimestampUnwrapper();
    expect([5, 2 ** 33 - 3, 8].map((ticks) => behind.unwrap(ticks))).toEqual([5, -3, 8]);
    expect([wrapTicks(-1), wrapTicks(2 ** 33 + 7)]).toEqual([2 ** 33 - 1, 7]);
  });
});

describe('SegmentCutter', () => {
  const cuts = (cutter: SegmentCutter, keyframes: boolean[]): boolean[] => keyframes.map((keyframe) => cutter.cutBefore({ keyframe }));

  it('cuts every N pictures', () => {
    expect(cuts(new SegmentCutter({ at: 'frames', frames: 2 }), [true, false, false, false, true])).toEqual([
      true,
      false,
      true,
      false,
      true,
    ]);
  });

  it('cuts at keyframes that are not too near', () => {
    expect(cuts(new SegmentCutter({ at: 'keyframes', minFrames: 2 }), [true, true, true, false, true])).toEqual([
      true,
      false,
      true,
      false,
      true,
    ]);
  });

  it('refuses segments of no frame', () => {
    expect(() => new SegmentCutter({ at: 'frames', frames: 0 })).toThrow(RangeError);
  });
});
