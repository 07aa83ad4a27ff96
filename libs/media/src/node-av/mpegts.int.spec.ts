import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TS_PACKET_BYTES, TsDemuxer, TsMuxer, type EncodedUnit, type TsDemuxStats } from '@runnel/media-core';
import { FormatContext, Rational, type CodecParameters } from 'node-av/lib';
import { openMediaFile } from '../file/media-file.ts';
import { describeAudio, describeVideo } from '../file/track-parameters.ts';
import { Scene } from '../clip/scene.ts';
import { clipSound, CLIP_SAMPLE_RATE } from '../clip/sound.ts';
import { createNodeAvDriver } from './driver.ts';
import { newPacket } from './ffmpeg.ts';

const FRAMES = 240;
const folder = mkdtempSync(join(tmpdir(), 'runnel-ts-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Real pictures and sound, in the order of their times. */
const units: { kind: 'video' | 'audio'; unit: EncodedUnit }[] = [];
const ofKind = (kind: 'video' | 'audio'): EncodedUnit[] => units.flatMap((entry) => (entry.kind === kind ? [entry.unit] : []));

beforeAll(async () => {
  const driver = createNodeAvDriver();
  const video = await driver.openVideoEncoder({ width: 640, height: 360, framerate: 30, bitrateKbps: 2500, gopFrames: 30 });
  const audio = await driver.openAudioEncoder({ codec: 'aac', sampleRate: CLIP_SAMPLE_RATE, channels: 2, bitrateKbps: 128 });
  const scene = new Scene({ width: 640, height: 360, fps: 30 });
  for (let frame = 0; frame < FRAMES; frame += 1) {
    video.encode({ ...scene.draw(frame), pts: 126_000 + frame * 3000 }, { keyframe: false }, (unit) => units.push({ kind: 'video', unit }));
    const sound = clipSound({ from: frame * 1600, count: 1600, fps: 30, frames: FRAMES });
    audio.encode({ channels: [sound, sound], sampleRate: CLIP_SAMPLE_RATE, pts: 126_000 + frame * 3000 }, (unit) =>
      units.push({ kind: 'audio', unit }),
    );
  }
  video.close();
  audio.close();
}, 60_000);

/** What FFmpeg's own muxer makes of them. */
function muxWithFfmpeg(): Uint8Array {
  const path = join(folder, 'ffmpeg.ts');
  const context = new FormatContext();
  expect(context.allocOutputContext2(null, 'mpegts', path)).toBe(0);
  const ticks = new Rational(1, 90_000);
  const describe = (fill: (parameters: CodecParameters) => void) => {
    const stream = context.newStream(null);
    fill(stream.codecpar);
    stream.timeBase = ticks;
    return stream;
  };
  const streams = {
    video: describe((parameters) => describeVideo(parameters, 'h264', ofKind('video')[0].data)),
    audio: describe((parameters) =>
      describeAudio(parameters, { kind: 'audio', pid: 1, codec: 'aac', channels: 2 }, ofKind('audio')[0].data),
    ),
  };
  // With ADTS headers the frames describe themselves.
  streams.audio.codecpar.extradata = null;
  expect(context.openOutputSync()).toBe(0);
  expect(context.writeHeaderSync(null)).toBeGreaterThanOrEqual(0);
  const packet = newPacket();
  for (const { kind, unit } of units) {
    packet.data = Buffer.from(unit.data);
    packet.streamIndex = streams[kind].index;
    packet.pts = BigInt(unit.pts);
    packet.dts = BigInt(unit.dts);
    packet.isKeyframe = unit.keyframe;
    packet.rescaleTs(ticks, streams[kind].timeBase);
    expect(context.writeFrameSync(packet)).toBeGreaterThanOrEqual(0);
    packet.unref();
  }
  context.writeTrailerSync();
  context.closeOutputSync();
  context.freeContext();
  packet.free();
  return readFileSync(path);
}

const text = (data: Uint8Array): string => Buffer.from(data).toString('latin1');
/** FFmpeg's muxer puts an access unit delimiter before a picture that has none (ITU-T H.264, 7.4.1.2.3). */
const withoutDelimiter = (data: Uint8Array): string => text(data[4] === 0x09 ? data.subarray(6) : data);

describe("FFmpeg's muxer and our demuxer", () => {
  let stats: TsDemuxStats;
  const found: { video: EncodedUnit[]; audio: EncodedUnit[] } = { video: [], audio: [] };
  beforeAll(() => {
    const bytes = muxWithFfmpeg();
    const demuxer = new TsDemuxer({ onUnit: (unit, stream) => found[stream.kind].push(unit) });
    for (let at = 0; at < bytes.length; at += TS_PACKET_BYTES) demuxer.push(bytes.subarray(at, at + TS_PACKET_BYTES));
    demuxer.flush();
    ({ stats } = demuxer);
  });

  it('agree on every byte, time and keyframe', () => {
    const video = ofKind('video');
    // FFmpeg moves a stream by its mux delay.
    const shift = found.video[0].pts - video[0].pts;
    expect(found.video.map(({ data }) => withoutDelimiter(data))).toEqual(video.map(({ data }) => text(data)));
    expect(found.video.map(({ pts, keyframe }) => ({ pts: pts - shift, keyframe }))).toEqual(
      video.map(({ pts, keyframe }) => ({ pts, keyframe })),
    );
    expect(found.audio.map(({ data }) => text(data))).toEqual(ofKind('audio').map(({ data }) => text(data)));
    expect(found.audio.map(({ pts }) => pts - shift)).toEqual(ofKind('audio').map(({ pts }) => pts));
    expect(stats).toMatchObject({ continuityErrors: 0, droppedUnits: 0, syncLosses: 0, brokenSections: 0 });
  });

  it('show the end of nearly every picture before the next begins', () => {
    expect(stats.earlyUnits / FRAMES).toBeGreaterThan(0.95);
  });
});

describe("our muxer and FFmpeg's demuxer", () => {
  it.each([true, false])('agree on every byte and time (with an SDT: %s)', (named) => {
    const path = join(folder, 'ours.ts');
    const muxer = new TsMuxer({ video: 'h264', audio: { codec: 'aac', channels: 2 }, ...(named ? { serviceName: 'Runnel' } : {}) });
    let pictures = 0;
    const pieces = units.flatMap(({ kind, unit }) => {
      if (kind === 'audio') return [muxer.audio(unit)];
      pictures += 1;
      return pictures % 2 === 1 ? [muxer.segmentStart(), muxer.video(unit)] : [muxer.video(unit)];
    });
    writeFileSync(path, Buffer.concat(pieces));
    const file = openMediaFile(path);
    expect(file).toMatchObject({ width: 640, height: 360, videoCodec: 'h264', audioCodec: 'aac' });
    const read: Record<'video' | 'audio', { data: string; pts: number }[]> = { video: [], audio: [] };
    const packet = newPacket();
    for (let kind = file.read(packet); kind !== null; kind = file.read(packet)) {
      read[kind].push({ data: text(packet.data!), pts: Number(packet.pts) });
      packet.unref();
    }
    packet.free();
    file.close();
    for (const kind of ['video', 'audio'] as const)
      expect(read[kind]).toEqual(ofKind(kind).map(({ data, pts }) => ({ data: text(data), pts })));
  });
});
