import { describe, expect, it } from '@jest/globals';
import { inspectAnnexB, type AudioBlock, type EncodedUnit, type Picture } from '@runnel/media-core';
import { AV_CODEC_ID_H264, AV_PIX_FMT_YUV420P, AV_PIX_FMT_YUV422P10LE, FF_ENCODER_LIBX265 } from 'node-av/constants';
import { Codec, CodecContext, Dictionary, Packet, Rational } from 'node-av/lib';
import { createNodeAvDriver } from './driver.ts';
import { PicturePool } from './picture-pool.ts';
import { openVideoDecoder } from './video-decoder.ts';

const driver = createNodeAvDriver();
const quiet = { keyframe: false };

/** A picture with a gradient that moves with `n`. */
function picture(n: number, width = 320, height = 180): Picture {
  const y = new Uint8Array(width * height);
  for (let at = 0; at < y.length; at += 1) y[at] = 16 + (((at % width) + n * 3) % 200);
  const chroma = () => new Uint8Array((width / 2) * (height / 2)).fill(100 + (n % 50));
  return {
    width,
    height,
    planes: [y, chroma(), chroma()],
    strides: [width, width / 2, width / 2],
    pts: n * 3000,
    release: () => undefined,
  };
}

async function encode(
  count: number,
  size: { width: number; height: number } = { width: 320, height: 180 },
  keyframeAt = -1,
): Promise<EncodedUnit[]> {
  const encoder = await driver.openVideoEncoder({ ...size, framerate: 30, bitrateKbps: 1500, gopFrames: 10 });
  const units: EncodedUnit[] = [];
  for (let n = 0; n < count; n += 1) {
    encoder.encode(picture(n, size.width, size.height), { keyframe: n === keyframeAt }, (unit) => units.push(unit));
    // Zero latency: each picture's unit is out before the next goes in.
    expect(units).toHaveLength(n + 1);
  }
  encoder.close();
  encoder.close();
  return units;
}

describe('the video path of the driver', () => {
  it('names itself and its FFmpeg', () => {
    expect(driver.name).toMatch(/^node-av \(FFmpeg .*\d.*\)$/);
  });

  it('gives each picture back at once, with its PTS, nearly as it was', async () => {
    const units = await encode(25, undefined, 13);
    expect(units.map(({ keyframe }) => keyframe).flatMap((key, n) => (key ? [n] : []))).toEqual([0, 10, 13, 23]);
    const decoder = await driver.openVideoDecoder('h264');
    let seen = 0;
    for (const [n, unit] of units.entries()) {
      decoder.decode(unit, (decoded) => {
        const wanted = picture(n);
        expect(decoded.pts).toBe(n * 3000);
        expect([decoded.width, decoded.height]).toEqual([320, 180]);
        for (const [x, y] of [
          [5, 5],
          [160, 90],
          [310, 170],
        ]) {
          expect(Math.abs(decoded.planes[0][y * decoded.strides[0] + x] - wanted.planes[0][y * 320 + x])).toBeLessThan(40);
        }
        expect(Math.abs(decoded.planes[1][0] - wanted.planes[1][0])).toBeLessThan(8);
        decoded.release();
        seen += 1;
      });
      expect(seen).toBe(n + 1);
    }
    decoder.close();
  });

  it('follows a change of the picture size', async () => {
    const decoder = await driver.openVideoDecoder('h264');
    const sizes: string[] = [];
    const take = (decoded: Picture): void => {
      sizes.push(`${decoded.width}x${decoded.height}`);
      decoded.release();
    };
    for (const unit of await encode(3)) decoder.decode(unit, take);
    for (const unit of await encode(2, { width: 640, height: 360 })) decoder.decode(unit, take);
    decoder.flush(take);
    expect(sizes).toEqual(['320x180', '320x180', '320x180', '640x360', '640x360']);
    decoder.close();
  });

  it('decodes HEVC, whose keyframes the transport stream code knows', async () => {
    const codec = Codec.findEncoderByName(FF_ENCODER_LIBX265)!;
    const context = new CodecContext();
    context.allocContext3(codec);
    Object.assign(context, {
      width: 320,
      height: 180,
      pixelFormat: AV_PIX_FMT_YUV420P,
      timeBase: new Rational(1, 90_000),
      maxBFrames: 0,
      threadCount: 1,
    });
    await context.open2(
      codec,
      Dictionary.fromObject({ preset: 'ultrafast', tune: 'zerolatency', 'x265-params': 'log-level=none:pools=none:frame-threads=1' }),
    );
    const pool = new PicturePool();
    const packet = new Packet();
    packet.alloc();
    const decoder = await driver.openVideoDecoder('hevc');
    const seen: number[] = [];
    const keyframes: boolean[] = [];
    const take = (decoded: Picture): void => {
      seen.push(decoded.pts);
      decoded.release();
    };
    const frame = pool.take();
    frame.format = AV_PIX_FMT_YUV420P;
    frame.width = 320;
    frame.height = 180;
    frame.getBuffer();
    for (let n = 0; n < 5; n += 1) {
      frame.pts = BigInt(n * 3000);
      context.sendFrameSync(frame);
      while (context.receivePacketSync(packet) >= 0) {
        const data = new Uint8Array(packet.data!);
        keyframes.push(inspectAnnexB('hevc', data).keyframe);
        decoder.decode({ data, pts: Number(packet.pts), dts: Number(packet.dts) }, take);
        packet.unref();
      }
    }
    decoder.flush(take);
    expect(keyframes).toEqual([true, false, false, false, false]);
    expect(seen).toEqual([0, 3000, 6000, 9000, 12_000]);
    pool.give(frame);
    pool.close();
    packet.free();
    context.freeContext();
    decoder.close();
  });

  it('reports a unit that is nonsense and decodes the next stream all the same', async () => {
    const decoder = await driver.openVideoDecoder('h264');
    let seen = 0;
    const take = (decoded: Picture): void => {
      decoded.release();
      seen += 1;
    };
    expect(() => decoder.decode({ data: new Uint8Array(500).fill(7), pts: 0, dts: 0 }, take)).toThrow(
      expect.objectContaining({ code: 'broken_media' }),
    );
    expect(() => decoder.decode({ data: new Uint8Array(0), pts: 0, dts: 0 }, take)).toThrow(
      expect.objectContaining({ code: 'broken_media' }),
    );
    for (const unit of await encode(3)) decoder.decode(unit, take);
    expect(seen).toBe(3);
    decoder.close();
  });

  it('takes a picture back once, however often it is released', async () => {
    const decoder = await driver.openVideoDecoder('h264');
    const held: { picture: Picture; before: Uint8Array }[] = [];
    for (const [n, unit] of (await encode(30)).entries()) {
      decoder.decode(unit, (picture) => {
        if (n < 10) for (let times = 0; times < 3; times += 1) picture.release();
        else held.push({ picture, before: Uint8Array.from(picture.planes[0]) });
      });
    }
    expect(held).toHaveLength(20);
    // A frame that is in the pool twice would be lent twice, and its memory used again under whoever still holds it.
    for (const { picture, before } of held) expect(Buffer.compare(before, picture.planes[0])).toBe(0);
    for (const { picture } of held) picture.release();
    decoder.close();
  });

  it('refuses a consumer that never releases its pictures', async () => {
    const units = await encode(70);
    const decoder = await driver.openVideoDecoder('h264');
    const kept: Picture[] = [];
    expect(() => units.forEach((unit) => decoder.decode(unit, (decoded) => kept.push(decoded)))).toThrow(
      expect.objectContaining({ code: 'internal' }),
    );
    expect(kept.length).toBeGreaterThan(50);
    decoder.close();
    for (const decoded of kept) decoded.release();
  });

  it('refuses sizes that H.264 4:2:0 cannot have, and pictures of another size', async () => {
    await expect(
      driver.openVideoEncoder({ width: 321, height: 180, framerate: 30, bitrateKbps: 500, gopFrames: 30 }),
    ).rejects.toMatchObject({ code: 'unsupported_codec' });
    const encoder = await driver.openVideoEncoder({ width: 320, height: 180, framerate: 30, bitrateKbps: 500, gopFrames: 30 });
    expect(() => encoder.encode(picture(0, 640, 360), quiet, () => undefined)).toThrow(expect.objectContaining({ code: 'internal' }));
    encoder.close();
  });

  it('brings other pixel formats and odd sides to even 4:2:0', () => {
    const pool = new PicturePool();
    const frame = pool.take();
    frame.format = AV_PIX_FMT_YUV422P10LE;
    frame.width = 33;
    frame.height = 17;
    frame.getBuffer();
    const luma = frame.data![0];
    for (let at = 0; at + 1 < luma.length; at += 2) luma.writeUInt16LE(512, at);
    const lent = pool.lend(frame, 5);
    expect([lent.width, lent.height, lent.pts]).toEqual([32, 16, 5]);
    expect(Math.abs(lent.planes[0][lent.strides[0] * 8 + 16] - 128)).toBeLessThan(2);
    lent.release();
    pool.close();
  });
});

describe('the converter of the driver', () => {
  it('keeps colours there and back, and scales', () => {
    const converter = driver.openConverter();
    const source = picture(0, 64, 32);
    source.planes[0].fill(120);
    source.planes[1].fill(90);
    source.planes[2].fill(160);
    const rgb = { width: 128, height: 64, data: new Uint8Array(128 * 64 * 3) };
    converter.toRgb(source, rgb);
    expect(rgb.data[0]).toBeGreaterThan(rgb.data[2]);
    const back = picture(1, 64, 32);
    converter.fromRgb(rgb, back);
    for (const [plane, value] of [120, 90, 160].entries()) expect(Math.abs(back.planes[plane][200] - value)).toBeLessThanOrEqual(2);
    const small = picture(2, 32, 16);
    converter.scale(back, small);
    expect(Math.abs(small.planes[0][100] - 120)).toBeLessThanOrEqual(2);
    converter.close();
  });

  it('refuses memory that is too short instead of writing over what lies behind it', () => {
    const converter = driver.openConverter();
    expect(() => converter.toRgb(picture(0), { width: 320, height: 180, data: new Uint8Array(100) })).toThrow(
      expect.objectContaining({ code: 'internal' }),
    );
    expect(() =>
      converter.toRgb(
        { ...picture(0), planes: [new Uint8Array(9), new Uint8Array(9), new Uint8Array(9)] },
        { width: 320, height: 180, data: new Uint8Array(320 * 180 * 3) },
      ),
    ).toThrow(expect.objectContaining({ code: 'internal' }));
    converter.close();
  });
});

/** A second of a click track: silence with one sample burst of `length` samples at `at`. */
function clicks(total: number, at: number, sampleRate: number, channels: number): Float32Array[] {
  return Array.from({ length: channels }, () => {
    const samples = new Float32Array(total);
    for (let n = 0; n < sampleRate / 20; n += 1) samples[at + n] = 0.8 * Math.sin((2 * Math.PI * 1000 * n) / sampleRate);
    return samples;
  });
}

/** Time in ticks at which the decoded sound begins. */
function onset(blocks: AudioBlock[]): number {
  for (const { channels, sampleRate, pts } of blocks) {
    const at = channels[0].findIndex((sample) => Math.abs(sample) > 0.2);
    if (at !== -1) return pts + (at * 90_000) / sampleRate;
  }
  return Number.NaN;
}

describe('the audio path of the driver', () => {
  it.each([
    { codec: 'aac', sampleRate: 48_000, channels: 2 },
    { codec: 'aac', sampleRate: 44_100, channels: 1 },
    { codec: 'opus', sampleRate: 48_000, channels: 2 },
    { codec: 'opus', sampleRate: 44_100, channels: 2 },
  ] as const)(
    'keeps a sound of $sampleRate Hz and $channels channels within a millisecond through $codec',
    async ({ codec, sampleRate, channels }) => {
      const encoder = await driver.openAudioEncoder({ codec, sampleRate, channels, bitrateKbps: 128 });
      const decoder = await driver.openAudioDecoder(codec, { channels, sampleRate: 48_000 });
      const units: EncodedUnit[] = [];
      const blocks: AudioBlock[] = [];
      const samples = clicks(sampleRate, sampleRate / 2, sampleRate, channels);
      for (let at = 0; at < sampleRate; at += 700) {
        encoder.encode(
          {
            channels: samples.map((channel) => channel.subarray(at, at + 700)),
            sampleRate,
            pts: Math.round(126_000 + (at * 90_000) / sampleRate),
          },
          (unit) => units.push(unit),
        );
      }
      encoder.flush((unit) => units.push(unit));
      for (const unit of units) decoder.decode(unit, (block) => blocks.push(block));
      expect(units[0].pts).toBeLessThan(126_000);
      expect(Math.abs(onset(blocks) - (126_000 + 45_000))).toBeLessThan(90);
      expect(blocks[0].channels).toHaveLength(channels);
      const times = units.map(({ pts }) => pts);
      expect(times).toEqual([...times].sort((a, b) => a - b));
      encoder.close();
      decoder.close();
    },
  );

  it('resynchronises on a jump of the source', async () => {
    const encoder = await driver.openAudioEncoder({ codec: 'aac', sampleRate: 48_000, channels: 2, bitrateKbps: 128 });
    const times: number[] = [];
    const block = (pts: number): AudioBlock => ({ channels: [new Float32Array(1024), new Float32Array(1024)], sampleRate: 48_000, pts });
    for (const pts of [0, 1920, 3840, 900_000, 901_920, 903_840]) encoder.encode(block(pts), (unit) => times.push(unit.pts));
    encoder.flush((unit) => times.push(unit.pts));
    expect(times).toEqual([-1920, 0, 1920, 3840, 900_000, 901_920, 903_840]);
    encoder.close();
  });

  it('turns mono of another rate into what the encoder was opened for', async () => {
    const encoder = await driver.openAudioEncoder({ codec: 'aac', sampleRate: 48_000, channels: 2, bitrateKbps: 128 });
    const decoder = await driver.openAudioDecoder('aac');
    const blocks: AudioBlock[] = [];
    const [mono] = clicks(22_050, 11_025, 22_050, 1);
    const pass = (unit: EncodedUnit): void => decoder.decode(unit, (block) => blocks.push(block));
    for (let at = 0; at < 22_050; at += 441)
      encoder.encode({ channels: [mono.subarray(at, at + 441)], sampleRate: 22_050, pts: (at / 441) * 1800 }, pass);
    encoder.flush(pass);
    expect(blocks[0]).toMatchObject({ sampleRate: 48_000 });
    expect(blocks[0].channels).toHaveLength(2);
    expect(Math.abs(onset(blocks) - 45_000)).toBeLessThan(90);
    encoder.close();
    decoder.close();
  });
});

it('the file decoder refuses an empty packet as the port does', async () => {
  const decoder = await openVideoDecoder(AV_CODEC_ID_H264);
  const packet = new Packet();
  packet.alloc();
  packet.data = Buffer.from([1, 2, 3]);
  expect(() => decoder.decodePacket(packet, () => undefined)).toThrow(expect.objectContaining({ code: 'broken_media' }));
  packet.free();
  decoder.close();
});
