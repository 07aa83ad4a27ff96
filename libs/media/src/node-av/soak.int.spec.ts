import { spawn } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { childEntry } from '../child/entry.ts';

const FRAMES = 4000;

/** Runs in a process of its own, whose memory is that of the codecs alone: pictures through encoder, muxer, damage, demuxer, decoder and encoder again. */
const SCRIPT = `
  const { createNodeAvDriver } = await import(process.argv[1]);
  const { TsDemuxer, TsMuxer } = await import(process.argv[2]);
  const driver = createNodeAvDriver();
  const options = { width: 320, height: 180, framerate: 30, bitrateKbps: 800, gopFrames: 30 };
  const source = await driver.openVideoEncoder(options);
  const decoder = await driver.openVideoDecoder('h264');
  const encoder = await driver.openVideoEncoder(options);
  const muxer = new TsMuxer({ video: 'h264', audio: null });
  const luma = new Uint8Array(320 * 180), chroma = new Uint8Array(160 * 90).fill(128);
  let decoded = 0, encoded = 0, broken = 0, seed = 1;
  const random = () => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) / 0x7fffffff;
  const onPicture = (picture) => {
    decoded += 1;
    if (picture.width === 320 && picture.height === 180) encoder.encode(picture, { keyframe: decoded % 7 === 0 }, () => (encoded += 1));
    picture.release();
  };
  const demuxer = new TsDemuxer({ onUnit: (unit) => { try { decoder.decode(unit, onPicture); } catch (error) { if (error.code !== 'broken_media') throw error; broken += 1; } } });
  const rss = [];
  for (let n = 0; n < ${FRAMES}; n += 1) {
    luma.fill(16 + (n % 200), (n % 90) * 320, (n % 90) * 320 + 9600);
    source.encode({ width: 320, height: 180, planes: [luma, chroma, chroma], strides: [320, 160, 160], pts: n * 3000 }, { keyframe: false }, (unit) => {
      const bytes = unit.keyframe ? Buffer.concat([muxer.segmentStart(), muxer.video(unit)]) : muxer.video(unit);
      if (process.argv[3] === 'hostile') for (let flips = random() * 40; flips > 0; flips -= 1) bytes[Math.floor(random() * bytes.length)] = random() * 256;
      demuxer.push(bytes);
    });
    if (n % 500 === 499) { rss.push(process.memoryUsage().rss / 2 ** 20); await new Promise(setImmediate); }
  }
  console.log(JSON.stringify({ decoded, encoded, broken, rss }));
`;

interface Outcome {
  decoded: number;
  encoded: number;
  broken: number;
  /** MiB, each 500 frames. */
  rss: number[];
}

async function soak(mode: 'clean' | 'hostile'): Promise<Outcome> {
  const media = childEntry(import.meta.url, '../index.js').href;
  const core = import.meta.resolve('@runnel/media-core').replace('/src/index.ts', '/dist/index.js');
  const child = spawn(process.execPath, ['--input-type=module', '-e', SCRIPT, media, core, mode], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const code = await new Promise((resolve) => child.once('close', resolve));
  expect(code).toBe(0);
  return JSON.parse(output) as Outcome;
}

describe(`${FRAMES} frames through decoder and encoder`, () => {
  it('cost no memory that grows', async () => {
    const { decoded, encoded, broken, rss } = await soak('clean');
    expect([decoded, encoded, broken]).toEqual([FRAMES, FRAMES, 0]);
    // After the first quarter everything is allocated.
    expect(rss.at(-1)! - rss[1]).toBeLessThan(24);
  }, 120_000);

  it('may be full of errors without ending the process or its memory', async () => {
    const { decoded, broken, rss } = await soak('hostile');
    expect(decoded).toBeGreaterThan(FRAMES / 20);
    expect(decoded + broken).toBeLessThanOrEqual(FRAMES * 1.1);
    expect(rss.at(-1)! - rss[1]).toBeLessThan(40);
  }, 120_000);
});
