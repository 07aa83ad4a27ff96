import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TsDemuxer, TsMuxer, type AudioBlock } from '@runnel/media-core';
import { openMediaFile, toTicks } from '../file/media-file.ts';
import { createNodeAvDriver } from '../node-av/driver.ts';
import { newPacket, timeOf } from '../node-av/ffmpeg.ts';
import { startIngest } from './ingest.ts';
import { inspectClip } from './inspect-clip.ts';
import { makeTestClip } from './make-test-clip.ts';
import { probe } from './probe.ts';
import { startRecorder, type RecordedFrame } from './recorder.ts';

const folder = mkdtempSync(join(tmpdir(), 'runnel-recorder-'));
const path = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The transport stream of a test clip, in the pieces in which an ingest gives it. */
const pieces: Uint8Array[] = [];
beforeAll(async () => {
  await makeTestClip({ path: path('clip.mp4'), seconds: 4 });
  const ingest = await startIngest({ input: path('clip.mp4'), pace: 'fast', segmentFrames: 2, gopFrames: 15, bitrateKbps: 2000 });
  for await (const message of ingest.messages) if (message.kind === 'bytes') pieces.push(message.data);
  await ingest.close();
}, 60_000);

const WHOLE = { duplicates: 0, gaps: 0, misordered: 0, unreadable: 0 };

/** PTS of the first packet of each track. */
function firstTicks(file: string): { video: number; audio: number } {
  const media = openMediaFile(file);
  const packet = newPacket();
  const first = { video: Number.NaN, audio: Number.NaN };
  for (let kind = media.read(packet); kind !== null; kind = media.read(packet)) {
    if (Number.isNaN(first[kind])) first[kind] = toTicks(timeOf(packet.pts)!, media[kind]!.timeBase);
    packet.unref();
  }
  packet.free();
  media.close();
  return first;
}

describe('startRecorder', () => {
  it('writes every frame and the sound on time, and reports what a viewer sees', async () => {
    const recorder = await startRecorder({ output: path('a.mp4'), format: 'mp4', decode: true });
    for (const piece of pieces) await recorder.push(piece);
    const summary = await recorder.finish();
    const frames: RecordedFrame[] = [];
    for await (const frame of recorder.frames) frames.push(frame);
    await recorder.close();
    expect(summary).toMatchObject({ frames: 120, videoStartPts: 126_000, audioStartPts: 126_000, bytes: statSync(path('a.mp4')).size });
    expect(summary.audioUnits).toBeGreaterThan(185);
    expect(Math.abs(summary.durationMs - 4000)).toBeLessThan(60);
    expect(frames.map(({ pts }) => pts)).toEqual(Array.from({ length: 120 }, (_, n) => 126_000 + n * 3000));
    for (const { receivedMs, decodedMs } of frames) expect(decodedMs).toBeGreaterThan(receivedMs);
    const report = await inspectClip(path('a.mp4'));
    expect(report).toMatchObject({ frames: 120, counters: { first: 0, last: 119, ...WHOLE }, ptsMonotonic: true, hasAudio: true });
    expect(Math.abs(report.avOffsetMs!)).toBeLessThan(1);
  });

  it('begins with the first keyframe of a stream that it joins in the middle', async () => {
    const recorder = await startRecorder({ output: path('b.mp4'), format: 'mp4', decode: false });
    for (const piece of pieces.slice(60)) await recorder.push(piece);
    const { frames, videoStartPts } = await recorder.finish();
    await recorder.close();
    const report = await inspectClip(path('b.mp4'));
    expect(report.frames).toBe(frames);
    expect(report.counters).toMatchObject({ first: (videoStartPts! - 126_000) / 3000, last: 119, ...WHOLE });
    expect(report.counters!.first % 15).toBe(0);
    expect(Math.abs(report.avOffsetMs!)).toBeLessThan(1);
  });

  // Either side of the second keyframe, at half a second, where the index that is written first has to know of the sound.
  it.each([0.3, 1.5])('puts sound that begins %d s after the picture where it belongs', async (lateSeconds) => {
    const recorder = await startRecorder({ output: path('late.mp4'), format: 'mp4', decode: false });
    const muxer = new TsMuxer({ video: 'h264', audio: { codec: 'aac', channels: 2 } });
    const out: Uint8Array[] = [];
    const soundFrom = 126_000 + lateSeconds * 90_000;
    const demuxer = new TsDemuxer({
      onUnit: (unit, stream) => {
        if (stream.kind === 'video') out.push(...(unit.keyframe ? [muxer.segmentStart()] : []), muxer.video(unit));
        else if (unit.pts >= soundFrom) out.push(muxer.audio(unit));
      },
    });
    for (const piece of pieces) demuxer.push(piece);
    for (const piece of out) await recorder.push(piece);
    const { videoStartPts, audioStartPts } = await recorder.finish();
    await recorder.close();
    const first = firstTicks(path('late.mp4'));
    expect(audioStartPts).toBeGreaterThanOrEqual(soundFrom);
    // An MP4 counts samples of sound.
    expect(Math.abs(first.audio - first.video - (audioStartPts! - videoStartPts!))).toBeLessThanOrEqual(2);
  });

  it('leaves a playable file when its process is killed, and says so', async () => {
    const recorder = await startRecorder({ output: path('c.mp4'), format: 'mp4', decode: true });
    const frames = recorder.frames[Symbol.asyncIterator]();
    for (const piece of pieces.slice(0, pieces.length >> 1)) await recorder.push(piece);
    for (let seen = 0; seen < 50; seen += 1) await frames.next();
    process.kill(recorder.pid, 'SIGKILL');
    await expect(recorder.finish()).rejects.toMatchObject({ code: 'media_child_died' });
    await expect(recorder.push(new Uint8Array(188))).rejects.toMatchObject({ code: 'media_child_died' });
    await recorder.close();
    const report = await inspectClip(path('c.mp4'));
    expect(report.frames).toBeGreaterThanOrEqual(30);
    expect(report).toMatchObject({ ptsMonotonic: true, counters: { first: 0, ...WHOLE } });
  });

  it('makes the file whole when it is closed without being finished', async () => {
    const recorder = await startRecorder({ output: path('d.mp4'), format: 'mp4', decode: false });
    for (const piece of pieces) await recorder.push(piece);
    await recorder.close();
    expect(await inspectClip(path('d.mp4'))).toMatchObject({ frames: 120 });
    await expect(recorder.finish()).rejects.toMatchObject({ code: 'media_child_died' });
  });

  it('tells at once that a file cannot be written', async () => {
    for (const output of [path('none/x.mp4'), folder, '/dev/null'])
      await expect(startRecorder({ output, format: 'mp4', decode: false })).rejects.toMatchObject({ code: 'file_not_writable' });
  });

  it('writes no file when nothing came, or nothing that is a picture', async () => {
    const recorder = await startRecorder({ output: path('e.mp4'), format: 'mp4', decode: true });
    await recorder.push(Uint8Array.from({ length: 50_000 }, (_, n) => (n * n) & 255));
    expect(await recorder.finish()).toEqual({
      frames: 0,
      audioUnits: 0,
      durationMs: 0,
      videoStartPts: null,
      audioStartPts: null,
      bytes: 0,
    });
    await recorder.close();
    expect(existsSync(path('e.mp4'))).toBe(false);
  });

  it('survives a stream full of errors and writes what is left of it', async () => {
    const recorder = await startRecorder({ output: path('f.mp4'), format: 'mp4', decode: true });
    let seed = 7;
    for (const piece of pieces) {
      const hurt = piece.slice();
      for (let flips = 0; flips < 2; flips += 1) {
        seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff;
        hurt[seed % hurt.length] = seed >> 8;
      }
      await recorder.push(hurt);
    }
    const { frames } = await recorder.finish();
    await recorder.close();
    expect(frames).toBeGreaterThan(10);
    const report = await inspectClip(path('f.mp4'));
    expect(report.frames).toBeGreaterThan(10);
    expect(report.ptsMonotonic).toBe(true);
  });

  it('takes Opus as it is, in sync', async () => {
    const driver = createNodeAvDriver();
    const decoder = await driver.openAudioDecoder('aac');
    const encoder = await driver.openAudioEncoder({ codec: 'opus', sampleRate: 48_000, channels: 2, bitrateKbps: 96 });
    const muxer = new TsMuxer({ video: 'h264', audio: { codec: 'opus', channels: 2 } });
    const recorder = await startRecorder({ output: path('g.mp4'), format: 'mp4', decode: false });
    const out: Uint8Array[] = [];
    const demuxer = new TsDemuxer({
      onUnit: (unit, stream) => {
        if (stream.kind === 'video') out.push(...(unit.keyframe ? [muxer.segmentStart()] : []), muxer.video(unit));
        else decoder.decode(unit, (block: AudioBlock) => encoder.encode(block, (opus) => out.push(muxer.audio(opus))));
      },
    });
    for (const piece of pieces) demuxer.push(piece);
    for (const piece of out) await recorder.push(piece);
    expect(await recorder.finish()).toMatchObject({ frames: 120 });
    await recorder.close();
    decoder.close();
    encoder.close();
    expect(await probe(path('g.mp4'))).toMatchObject({ audioCodec: 'opus' });
    const report = await inspectClip(path('g.mp4'));
    expect(Math.abs(report.avOffsetMs!)).toBeLessThan(1);
  });
});
