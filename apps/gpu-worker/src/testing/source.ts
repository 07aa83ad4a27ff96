import { TICKS_PER_SECOND, TsDemuxer, TsMuxer, type EncodedUnit, type Picture } from '@runnel/media-core';
import { createNodeAvDriver } from '@runnel/media';

const WIDTH = 320;
const HEIGHT = 180;
const FPS = 30;
export const FRAME_TICKS = TICKS_PER_SECOND / FPS;

/** Colourful frames whose luma tells their number: transport stream bytes, one piece a frame. */
export async function makeSource(frames: number, { gopFrames = 15 }: { gopFrames?: number } = {}): Promise<Uint8Array[]> {
  const driver = createNodeAvDriver();
  const encoder = await driver.openVideoEncoder({ width: WIDTH, height: HEIGHT, framerate: FPS, bitrateKbps: 2000, gopFrames });
  const sound = await driver.openAudioEncoder({ codec: 'aac', sampleRate: 48_000, channels: 2, bitrateKbps: 96 });
  const muxer = new TsMuxer({ video: 'h264', audio: { codec: 'aac', channels: 2 } });
  const pieces: Uint8Array[] = [];
  for (let n = 0; n < frames; n += 1) {
    const parts: Uint8Array[] = n === 0 ? [muxer.segmentStart()] : [];
    const pts = n * FRAME_TICKS + TICKS_PER_SECOND;
    encoder.encode(colourful(n, pts), { keyframe: n % gopFrames === 0 }, (unit) => parts.push(muxer.video(unit)));
    const tone = () => Float32Array.from({ length: 1600 }, (_, at) => Math.sin((n * 1600 + at) / 20) / 4);
    sound.encode({ channels: [tone(), tone()], sampleRate: 48_000, pts }, (unit) => parts.push(muxer.audio(unit)));
    pieces.push(concat(parts));
  }
  encoder.close();
  sound.close();
  return pieces;
}

/** Luma of frame `n`, in the middle of the picture. */
export function lumaOf(n: number): number {
  return 40 + ((n * 5) % 160);
}

function colourful(n: number, pts: number): Picture {
  const chroma = (WIDTH / 2) * (HEIGHT / 2);
  return {
    width: WIDTH,
    height: HEIGHT,
    planes: [new Uint8Array(WIDTH * HEIGHT).fill(lumaOf(n)), new Uint8Array(chroma).fill(70), new Uint8Array(chroma).fill(190)],
    strides: [WIDTH, WIDTH / 2, WIDTH / 2],
    pts,
    release: () => undefined,
  };
}

export interface Seen {
  pts: number;
  width: number;
  height: number;
  /** Samples in the middle of the picture. */
  y: number;
  u: number;
  v: number;
}

/** Decodes a transport stream; `sound` is its first channel. */
export async function readBack(bytes: Uint8Array): Promise<{ frames: Seen[]; audio: EncodedUnit[]; sound: Float32Array }> {
  const video: EncodedUnit[] = [];
  const audio: EncodedUnit[] = [];
  const demuxer = new TsDemuxer({ onUnit: (unit, { kind }) => (kind === 'video' ? video : audio).push(unit) });
  demuxer.push(bytes);
  demuxer.flush();
  const decoder = await createNodeAvDriver().openVideoDecoder('h264');
  const frames: Seen[] = [];
  const see = (picture: Picture): void => {
    const { pts, width, height, planes, strides } = picture;
    const middle = (plane: 0 | 1 | 2, shift: number) => planes[plane][(height >> (1 + shift)) * strides[plane] + (width >> (1 + shift))];
    frames.push({ pts, width, height, y: middle(0, 0), u: middle(1, 1), v: middle(2, 1) });
    picture.release();
  };
  for (const unit of video) decoder.decode(unit, see);
  decoder.flush(see);
  decoder.close();
  const ears = await createNodeAvDriver().openAudioDecoder('aac');
  const heard: Float32Array[] = [];
  for (const unit of audio) ears.decode(unit, ({ channels }) => heard.push(channels[0]));
  ears.close();
  return { frames, audio, sound: Float32Array.from(heard.flatMap((samples) => [...samples])) };
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
