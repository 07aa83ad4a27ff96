import { describe, expect, it } from '@jest/globals';
import { foreignStreams } from './foreign-streams.ts';

const program = (...types: number[]) => ({ ignored: types.map((streamType, at) => ({ pid: 0x100 + at, streamType })) });

describe('streams that are not carried', () => {
  it('are named, with what to send instead', () => {
    expect(foreignStreams(program(0x02, 0x81))).toBe(
      'MPEG-2 video is left out: send H.264 or HEVC. AC-3 audio is left out: send AAC in ADTS or Opus.',
    );
  });

  it('are passed over in silence when they are private data, or none', () => {
    expect([foreignStreams(program(0x06, 0x86)), foreignStreams(program())]).toEqual([null, null]);
  });
});
