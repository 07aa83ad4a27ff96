import { describe, expect, it } from '@jest/globals';
import { wrapAdts } from '../codec/adts.ts';
import type { EncodedUnit } from '../frames.ts';
import { TsDemuxer, type TsDemuxerOptions } from './demuxer.ts';
import { TsMuxer } from './muxer.ts';
import type { TsProgram } from './program.ts';

const PACKET = 188;

function unit(index: number, size = 700): EncodedUnit {
  const data = new Uint8Array(size).fill(9);
  data.set([0, 0, 1, index % 4 === 0 ? 0x65 : 0x41, index]);
  return { data, pts: index * 3000, dts: index * 3000, keyframe: index % 4 === 0 };
}

function collect(options: Partial<TsDemuxerOptions> = {}) {
  const units: EncodedUnit[] = [];
  const programs: TsProgram[] = [];
  const demuxer = new TsDemuxer({ onUnit: (found) => units.push(found), onProgram: (program) => programs.push(program), ...options });
  return { demuxer, units, programs, numbers: () => units.map(({ data }) => data[4]) };
}

/** Rewrites the length of a video unit's PES packet to "not known", as FFmpeg writes it. */
function forgetLength(packets: Uint8Array): Uint8Array {
  const pes = 4 + ((packets[3] & 0x20) === 0 ? 0 : 1 + packets[4]);
  packets[pes + 4] = 0;
  packets[pes + 5] = 0;
  return packets;
}

describe('TsDemuxer: end of a unit of unknown length', () => {
  it('is seen by stuffing once that has proved itself, and by the next unit before', () => {
    const muxer = new TsMuxer({ video: 'h264', audio: null });
    const { demuxer, units } = collect();
    demuxer.push(muxer.segmentStart());
    const seen = Array.from({ length: 8 }, (_, index) => {
      demuxer.push(forgetLength(muxer.video(unit(index))));
      return units.length;
    });
    // One behind while the rule is on trial, then at once.
    expect(seen).toEqual([0, 1, 2, 4, 5, 6, 7, 8]);
    expect(demuxer.stats.earlyUnits).toBe(5);
  });

  it('is not seen early where the last packet happens to be full', () => {
    const muxer = new TsMuxer({ video: 'h264', audio: null });
    const { demuxer, units } = collect();
    demuxer.push(muxer.segmentStart());
    for (let index = 0; index < 6; index += 1) demuxer.push(forgetLength(muxer.video(unit(index))));
    // 14 bytes of PES header and 8 of adaptation field in the first packet.
    demuxer.push(forgetLength(muxer.video(unit(6, 184 * 3 - 14 - 8))));
    expect(units).toHaveLength(6);
    demuxer.push(forgetLength(muxer.video(unit(7))));
    expect(units).toHaveLength(8);
    expect(units[6].data).toHaveLength(184 * 3 - 22);
  });

  it('is no longer guessed in a stream that stuffs elsewhere', () => {
    const muxer = new TsMuxer({ video: 'h264', audio: null });
    const { demuxer, numbers } = collect();
    demuxer.push(muxer.segmentStart());
    for (let index = 0; index < 6; index += 1) demuxer.push(forgetLength(muxer.video(unit(index))));
    // A unit in two halves, each stuffed: the second half is no unit of its own.
    const first = forgetLength(muxer.video(unit(6)));
    const second = muxer.video(unit(7));
    for (let at = 0; at < second.length; at += PACKET) second[at + 1] = second[at + 1] & ~0x40;
    demuxer.push(first);
    demuxer.push(second);
    expect(demuxer.stats.droppedUnits).toBe(1);
    const early = demuxer.stats.earlyUnits;
    for (let index = 8; index < 14; index += 1) demuxer.push(forgetLength(muxer.video(unit(index))));
    demuxer.flush();
    expect(demuxer.stats.earlyUnits).toBe(early);
    expect(numbers()).toEqual([0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13]);
  });
});

describe('TsMuxer: a picture too long for a PES length', () => {
  it('always ends in stuffing, whatever its size', () => {
    const muxer = new TsMuxer({ video: 'h264', audio: null });
    for (let size = 70_000; size < 70_000 + 2 * 184; size += 1) {
      const packets = muxer.video(unit(1, size));
      const last = packets.subarray(-PACKET);
      expect([packets.length % PACKET, last[3] & 0x20]).toEqual([0, 0x20]);
    }
  });
});

describe('TsDemuxer: ADTS frames that are not aligned with PES packets', () => {
  it('are put together, each with its own time', () => {
    const muxer = new TsMuxer({ video: null, audio: { codec: 'aac', channels: 2 } });
    const { demuxer, units } = collect();
    const frames = [1, 2, 3, 4].map((fill) => wrapAdts(new Uint8Array(300).fill(fill), { sampleRate: 48_000, channels: 2 }));
    const bytes = Uint8Array.from(frames.flatMap((frame) => [...frame]));
    demuxer.push(muxer.segmentStart());
    // PTS is that of the first frame that begins in a PES packet: the first, then the third, which begins in the second piece.
    demuxer.push(muxer.audio({ data: bytes.subarray(0, 400), pts: 9000, dts: 9000, keyframe: true }));
    demuxer.push(muxer.audio({ data: bytes.subarray(400), pts: 9000 + 2 * 1920, dts: 9000 + 2 * 1920, keyframe: true }));
    expect(units.map(({ data, pts }) => [data[7], data.length, pts])).toEqual([1, 2, 3, 4].map((fill, n) => [fill, 307, 9000 + n * 1920]));
    expect(demuxer.stats.droppedUnits).toBe(0);
  });
});

describe('TsDemuxer: continuity', () => {
  it('ignores a packet that is repeated', () => {
    const muxer = new TsMuxer({ video: 'h264', audio: null });
    const { demuxer, numbers } = collect();
    demuxer.push(muxer.segmentStart());
    const packets = muxer.video(unit(1));
    for (let at = 0; at < packets.length; at += PACKET) {
      demuxer.push(packets.subarray(at, at + PACKET));
      demuxer.push(packets.subarray(at, at + PACKET));
    }
    expect(numbers()).toEqual([1]);
    expect(demuxer.stats).toMatchObject({ duplicates: 4, continuityErrors: 0, droppedUnits: 0 });
  });

  it('drops and counts a unit that lost a packet, and no other', () => {
    const muxer = new TsMuxer({ video: 'h264', audio: null });
    const { demuxer, numbers } = collect();
    demuxer.push(muxer.segmentStart());
    demuxer.push(muxer.video(unit(1)));
    const hurt = muxer.video(unit(2));
    demuxer.push(hurt.subarray(0, PACKET));
    demuxer.push(hurt.subarray(2 * PACKET));
    demuxer.push(muxer.video(unit(3)));
    expect(numbers()).toEqual([1, 3]);
    expect(demuxer.stats).toMatchObject({ continuityErrors: 1, droppedUnits: 1 });
  });

  it.each(['in the middle', 'at its end'])('drops a unit of unknown length that lost a packet %s', (where) => {
    const muxer = new TsMuxer({ video: 'h264', audio: null });
    const { demuxer, numbers } = collect();
    demuxer.push(muxer.segmentStart());
    const hurt = forgetLength(muxer.video(unit(1)));
    demuxer.push(hurt.subarray(0, PACKET));
    if (where === 'in the middle') demuxer.push(hurt.subarray(2 * PACKET));
    demuxer.push(muxer.video(unit(2)));
    expect(numbers()).toEqual([2]);
    expect(demuxer.stats).toMatchObject({ continuityErrors: 1, droppedUnits: 1 });
  });

  it('takes counters that begin again with each segment for what they are', () => {
    const { demuxer, numbers } = collect();
    for (let segment = 0; segment < 5; segment += 1) {
      const muxer = new TsMuxer({ video: 'h264', audio: null });
      demuxer.push(muxer.segmentStart());
      for (let index = 0; index < 3; index += 1) demuxer.push(forgetLength(muxer.video(unit(segment * 3 + index))));
    }
    demuxer.flush();
    expect(numbers()).toEqual(Array.from({ length: 15 }, (_, index) => index));
    expect(demuxer.stats).toMatchObject({ continuityErrors: 0, droppedUnits: 0 });
    expect(demuxer.stats.restarts).toBeGreaterThan(0);
  });

  it('believes a discontinuity that is announced', () => {
    const muxer = new TsMuxer({ video: 'h264', audio: null });
    const { demuxer, numbers } = collect();
    demuxer.push(muxer.segmentStart());
    demuxer.push(muxer.video(unit(1)));
    muxer.video(unit(2));
    const announced = muxer.video(unit(3));
    announced[5] = announced[5] | 0x80;
    demuxer.push(announced);
    expect(numbers()).toEqual([1, 3]);
    expect(demuxer.stats.continuityErrors).toBe(0);
  });
});

describe('TsDemuxer: what it refuses', () => {
  it('drops a unit over the cap and goes on', () => {
    const muxer = new TsMuxer({ video: 'h264', audio: null });
    const { demuxer, numbers } = collect({ maxUnitBytes: 100_000 });
    demuxer.push(muxer.segmentStart());
    demuxer.push(muxer.video(unit(1)));
    demuxer.push(muxer.video(unit(2, 150_000)));
    demuxer.push(muxer.video(unit(3)));
    expect(numbers()).toEqual([1, 3]);
    expect(demuxer.stats.droppedUnits).toBe(1);
  });

  it('skips packets that the sender marks as broken or that are scrambled', () => {
    const muxer = new TsMuxer({ video: 'h264', audio: null });
    const { demuxer, numbers } = collect();
    demuxer.push(muxer.segmentStart());
    for (const [offset, bit] of [
      [1, 0x80],
      [3, 0x80],
    ] as const) {
      const packets = muxer.video(unit(1, 100));
      packets[offset] = packets[offset] | bit;
      demuxer.push(packets);
    }
    expect(numbers()).toEqual([]);
    expect(demuxer.stats.badPackets).toBe(2);
  });

  it('finds its way again after bytes that are not packets', () => {
    const muxer = new TsMuxer({ video: 'h264', audio: null });
    const { demuxer, numbers } = collect();
    demuxer.push(muxer.segmentStart());
    demuxer.push(muxer.video(unit(1)));
    demuxer.push(new Uint8Array(500).fill(0x47, 100, 110));
    demuxer.push(muxer.video(unit(2)));
    demuxer.push(muxer.video(unit(3)));
    expect(numbers()).toEqual([1, 2, 3]);
    expect(demuxer.stats.syncLosses).toBe(1);
  });
});

describe('TsDemuxer: program', () => {
  it('is told once, and again when it changes', () => {
    const { demuxer, programs } = collect();
    const before = new TsMuxer({ video: 'h264', audio: { codec: 'aac', channels: 2 } });
    const after = new TsMuxer({ video: 'h264', audio: { codec: 'opus', channels: 2 } });
    demuxer.push(before.segmentStart());
    demuxer.push(before.segmentStart());
    expect(programs).toHaveLength(1);
    demuxer.push(after.segmentStart());
    expect(programs.map(({ streams }) => streams.map(({ codec }) => codec))).toEqual([
      ['h264', 'aac'],
      ['h264', 'opus'],
    ]);
    expect(demuxer.program).toBe(programs[1]);
  });

  it('that changes keeps the streams that stay', () => {
    const { demuxer, numbers } = collect();
    const before = new TsMuxer({ video: 'h264', audio: null });
    demuxer.push(before.segmentStart());
    const packets = before.video(unit(1));
    demuxer.push(packets.subarray(0, PACKET));
    const after = new TsMuxer({ video: 'h264', audio: { codec: 'aac', channels: 2 } });
    demuxer.push(after.segmentStart());
    demuxer.push(packets.subarray(PACKET));
    expect(numbers()).toEqual([1]);
  });
});
