import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TsDemuxer, TsMuxer, type EncodedUnit } from '@runnel/media-core';
import { startIngest, type IngestMessage, type IngestOptions } from './ingest.ts';
import { inspectClip } from './inspect-clip.ts';
import { makeTestClip } from './make-test-clip.ts';
import { probe } from './probe.ts';

const folder = mkdtempSync(join(tmpdir(), 'runnel-media-'));
const clip = join(folder, 'clip.mp4');
const path = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const shares: number[] = [];
beforeAll(() => makeTestClip({ path: clip, seconds: 3, onProgress: (share) => shares.push(share) }), 60_000);

const WHOLE = { duplicates: 0, gaps: 0, misordered: 0, unreadable: 0 };
const FAST: Omit<IngestOptions, 'input'> = { pace: 'fast', segmentFrames: 3, gopFrames: 30, bitrateKbps: 2000 };

async function collect(options: Partial<IngestOptions> = {}): Promise<IngestMessage[]> {
  const ingest = await startIngest({ input: clip, ...FAST, ...options });
  const messages: IngestMessage[] = [];
  try {
    for await (const message of ingest.messages) messages.push(message);
  } finally {
    await ingest.close();
  }
  return messages;
}

const bytesOf = (messages: IngestMessage[]): Uint8Array[] =>
  messages.flatMap((message) => (message.kind === 'bytes' ? [message.data] : []));
const framesOf = (messages: IngestMessage[]) => messages.flatMap((message) => (message.kind === 'frame' ? [message] : []));

function demux(pieces: Uint8Array[]): { video: EncodedUnit[]; audio: EncodedUnit[] } {
  const found: { video: EncodedUnit[]; audio: EncodedUnit[] } = { video: [], audio: [] };
  const demuxer = new TsDemuxer({ onUnit: (unit, stream) => found[stream.kind].push(unit) });
  for (const piece of pieces) demuxer.push(piece);
  demuxer.flush();
  expect(demuxer.stats).toMatchObject({ continuityErrors: 0, droppedUnits: 0, restarts: 0 });
  return found;
}

describe('makeTestClip', () => {
  it('makes a film whose every frame is numbered and whose sound is on time', async () => {
    const report = await inspectClip(clip);
    expect(report).toMatchObject({
      frames: 90,
      width: 640,
      height: 360,
      counters: { first: 0, last: 89, ...WHOLE },
      ptsMonotonic: true,
      hasAudio: true,
    });
    expect(Math.abs(report.avOffsetMs!)).toBeLessThan(1);
    expect(await probe(clip)).toMatchObject({ width: 640, height: 360, fps: 30, frames: 90, videoCodec: 'h264', audioCodec: 'aac' });
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
    expect(shares.at(-1)).toBe(1);
  });

  it.each([
    { width: 320, height: 180, fps: 25 },
    { width: 1280, height: 720, fps: 30_000 / 1001 },
  ])('also of $width x $height at $fps frames a second', async (size) => {
    await makeTestClip({ path: path('other.mp4'), seconds: 2, ...size });
    const report = await inspectClip(path('other.mp4'));
    expect(report).toMatchObject({ width: size.width, height: size.height, counters: { first: 0, ...WHOLE }, ptsMonotonic: true });
    expect(Math.abs(report.avOffsetMs!)).toBeLessThan(1);
  });

  it('refuses sizes and paths that cannot be', async () => {
    await expect(makeTestClip({ path: clip, seconds: 1, width: 301 })).rejects.toMatchObject({ code: 'invalid_request' });
    await expect(makeTestClip({ path: join(folder, 'none', 'x.mp4'), seconds: 1 })).rejects.toMatchObject({ code: 'file_not_writable' });
  });
});

describe('startIngest', () => {
  it('yields each frame after its bytes, cut into segments that each can be read alone', async () => {
    const messages = await collect();
    const frames = framesOf(messages);
    expect(frames.map(({ pts }) => pts)).toEqual(Array.from({ length: 90 }, (_, n) => 126_000 + n * 3000));
    expect(messages.at(-1)).toEqual({ kind: 'end', frames: 90, hasAudio: true, videoStartPts: 126_000, audioStartPts: 126_000 });
    expect(messages.filter(({ kind }) => kind === 'cut')).toHaveLength(29);
    const { video, audio } = demux(bytesOf(messages));
    expect(video.map(({ pts }) => pts)).toEqual(frames.map(({ pts }) => pts));
    expect(video.flatMap(({ keyframe }, n) => (keyframe ? [n] : []))).toEqual([0, 30, 60]);
    expect(audio.length).toBeGreaterThan(138);
    const afterFirstCut = messages.slice(messages.findIndex(({ kind }) => kind === 'cut') + 1);
    const alone: EncodedUnit[] = [];
    const demuxer = new TsDemuxer({ onUnit: (unit, stream) => (stream.kind === 'video' ? alone.push(unit) : undefined) });
    for (const piece of bytesOf(afterFirstCut)) demuxer.push(piece);
    expect(alone).toHaveLength(87);
  });

  it('keeps the pace of the film, and says when each frame was due', async () => {
    const began = performance.now();
    const frames = framesOf(await collect({ pace: 'real-time', seconds: 1 }));
    expect(performance.now() - began).toBeGreaterThan(950);
    expect(frames).toHaveLength(30);
    frames.forEach(({ capturedMs, sentMs }, n) => {
      expect(capturedMs - frames[0].capturedMs).toBeCloseTo((n * 1000) / 30, 1);
      expect(sentMs).toBeGreaterThan(capturedMs);
    });
    expect(Math.abs(frames[0].capturedMs - Date.now())).toBeLessThan(60_000);
  });

  it('goes on from the beginning when asked to, with times that go on', async () => {
    const frames = framesOf(await collect({ loop: true, seconds: 7 }));
    expect(frames.map(({ pts }) => pts)).toEqual(Array.from({ length: 210 }, (_, n) => 126_000 + n * 3000));
  });

  it('bridges jumps of the times of a recorded stream, in both directions', async () => {
    const once = bytesOf(await collect({ seconds: 1 }));
    const { video } = demux(once);
    const muxer = new TsMuxer({ video: 'h264', audio: null });
    const late = video.map((unit) => muxer.video({ ...unit, pts: unit.pts + 90_000_000, dts: unit.dts + 90_000_000 }));
    writeFileSync(path('jumps.ts'), Buffer.concat([...once, ...once, muxer.segmentStart(), ...late]));
    const pts = framesOf(await collect({ input: path('jumps.ts') })).map((frame) => frame.pts);
    expect(pts).toHaveLength(90);
    const steps = pts.slice(1).map((at, n) => at - pts[n]);
    expect(Math.min(...steps)).toBeGreaterThan(0);
    expect(Math.max(...steps)).toBeLessThan(20_000);
  });

  it('turns pictures upright that the file says to turn', async () => {
    const film = readFileSync(clip);
    // Matrix of the first track's header (ISO/IEC 14496-12, 8.3.2), version 0: a quarter turn clockwise.
    const matrix = film.indexOf('tkhd') + 44;
    [0, 1 << 16, 0, -(1 << 16), 0].forEach((number, index) => film.writeInt32BE(number, matrix + 4 * index));
    writeFileSync(path('phone.mp4'), film);
    expect(await probe(path('phone.mp4'))).toMatchObject({ width: 360, height: 640 });
    writeFileSync(path('upright.ts'), Buffer.concat(bytesOf(await collect({ input: path('phone.mp4'), seconds: 1 }))));
    // Its numbers are written sideways now.
    expect(await inspectClip(path('upright.ts'))).toMatchObject({ frames: 30, width: 360, height: 640, counters: null });
  });

  it('refuses pictures that no worker could send back', async () => {
    await expect(collect({ maxWidth: 8 })).rejects.toMatchObject({
      code: 'unsupported_codec',
      message: expect.stringContaining('16 pixels'),
    });
  });

  it('scales down to a width', async () => {
    await makeTestClip({ path: path('wide.mp4'), seconds: 1, width: 960, height: 540 });
    const output = path('narrow.ts');
    writeFileSync(output, Buffer.concat(bytesOf(await collect({ input: path('wide.mp4'), maxWidth: 480 }))));
    expect(await inspectClip(output)).toMatchObject({ frames: 30, width: 480, height: 270, counters: { first: 0, last: 29, ...WHOLE } });
  });

  it('waits for a reader, and ends early in order when asked to', async () => {
    const ingest = await startIngest({ input: clip, ...FAST, loop: true });
    await new Promise((resolve) => setTimeout(resolve, 300));
    const messages: IngestMessage[] = [];
    for await (const message of ingest.messages) {
      messages.push(message);
      if (messages.length === 200) ingest.requestStop();
    }
    await ingest.close();
    const end = messages.at(-1);
    expect(end).toMatchObject({ kind: 'end', frames: framesOf(messages).length });
    // What was on its way when it was told, not all that a loop could give.
    expect(messages.length).toBeLessThan(1000);
    demux(bytesOf(messages));
  });

  it('leaves nothing behind when it is closed unread', async () => {
    const ingest = await startIngest({ input: clip, ...FAST, loop: true });
    await ingest.close();
    await ingest.close();
  });
});

describe('bad input', () => {
  const bad: { name: string; code: string; make: (file: string) => void }[] = [
    { name: 'missing.mp4', code: 'file_not_found', make: () => undefined },
    { name: 'folder.mp4', code: 'not_video', make: (file) => mkdirSync(file) },
    { name: 'notes.mp4', code: 'not_video', make: (file) => writeFileSync(file, 'These are notes.\n'.repeat(500)) },
    { name: 'notes.txt', code: 'not_video', make: (file) => writeFileSync(file, 'These are notes.\n'.repeat(500)) },
    { name: 'no-media.mp4.txt', code: 'not_video', make: (file) => writeFileSync(file, '') },
    {
      name: 'playlist.m3u8',
      code: 'not_video',
      make: (file) => writeFileSync(file, `#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\nfile://${clip}\n`),
    },
    { name: 'sound.wav', code: 'not_video', make: (file) => writeFileSync(file, wav()) },
    {
      name: 'garbage.ts',
      code: 'broken_media',
      make: (file) =>
        writeFileSync(
          file,
          Uint8Array.from({ length: 200_000 }, (_, n) => (n * n * 31 + (n >> 3)) & 255),
        ),
    },
    { name: 'cut.mp4', code: 'broken_media', make: (file) => writeFileSync(file, readFileSync(clip).subarray(0, 700)) },
  ];

  it.each(bad)('$name is $code, soon', async ({ name, code, make }) => {
    const file = path(name);
    make(file);
    const began = performance.now();
    await expect(startIngest({ input: file, ...FAST })).rejects.toMatchObject({ name: 'RunnelError', code });
    await expect(probe(file)).rejects.toMatchObject({ code });
    await expect(inspectClip(file)).rejects.toMatchObject({ code });
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  it('gives what there is of a film that was cut off, and of a stream with garbage in it', async () => {
    const half = path('half.mp4');
    const whole = readFileSync(clip);
    writeFileSync(half, whole.subarray(0, whole.length >> 1));
    const frames = framesOf(await collect({ input: half }));
    expect(frames.length).toBeGreaterThan(20);
    expect(frames.length).toBeLessThan(90);
    const ts = Buffer.concat(bytesOf(await collect()));
    for (let at = 40_000; at < 44_000; at += 1) ts[at] = (at * 7) & 255;
    writeFileSync(path('hurt.ts'), ts);
    expect(framesOf(await collect({ input: path('hurt.ts') })).length).toBeGreaterThan(60);
  });
});

/** A tenth of a second of silence as WAV. */
function wav(): Buffer {
  const head = Buffer.alloc(44);
  head.write('RIFF');
  head.writeUInt32LE(36 + 9600, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(48_000, 24);
  head.writeUInt32LE(96_000, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36);
  head.writeUInt32LE(9600, 40);
  return Buffer.concat([head, Buffer.alloc(9600)]);
}
