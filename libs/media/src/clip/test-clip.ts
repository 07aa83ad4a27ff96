import { RunnelError } from '@runnel/errors';
import { TICKS_PER_SECOND } from '@runnel/media-core';
import { checkWritable, openMp4Writer } from '../file/mp4-writer.ts';
import { openAudioEncoder } from '../node-av/audio-encoder.ts';
import { openVideoEncoder } from '../node-av/video-encoder.ts';
import { CLIP_MIN } from './layout.ts';
import { Scene } from './scene.ts';
import { CLIP_SAMPLE_RATE, clipSound } from './sound.ts';

/** A clip to write. Sides in pixels, even, from `CLIP_MIN` on; `fps` above 0, at most 240. */
export interface TestClipSpec {
  path: string;
  seconds: number;
  width: number;
  height: number;
  fps: number;
}

/** Plenty for a picture of this kind at 640x360, in proportion for others. */
const BITRATE_KBPS_AT_360P = 2500;
const AAC_SAMPLES = 1024;

/** Writes a test clip; yields after each second of it. @throws RunnelError `invalid_request`, `file_not_writable`. */
export async function* writeTestClip({ path, seconds, width, height, fps }: TestClipSpec): AsyncGenerator<number, void> {
  if (
    width < CLIP_MIN.width ||
    height < CLIP_MIN.height ||
    width % 2 !== 0 ||
    height % 2 !== 0 ||
    !(seconds > 0) ||
    !(fps > 0) ||
    fps > 240
  )
    throw new RunnelError('invalid_request', {
      message: `A test clip has even sides of at least ${CLIP_MIN.width}x${CLIP_MIN.height}, and a length and frame rate above 0.`,
    });
  checkWritable(path);
  const frames = Math.max(1, Math.round(seconds * fps));
  const totalSamples = Math.round((frames / fps) * CLIP_SAMPLE_RATE);
  const video = await openVideoEncoder({
    width,
    height,
    framerate: fps,
    bitrateKbps: Math.round((BITRATE_KBPS_AT_360P * width * height) / (640 * 360)),
    gopFrames: Math.max(1, Math.round(fps * 2)),
    globalHeader: true,
  });
  const audio = await openAudioEncoder({ codec: 'aac', sampleRate: CLIP_SAMPLE_RATE, channels: 2, bitrateKbps: 128, raw: true });
  const writer = openMp4Writer({ path, video: video.fillParameters, audio: audio.fillParameters, live: false });
  const scene = new Scene({ width, height, fps });
  const pts = (frame: number): number => Math.round((frame * TICKS_PER_SECOND) / fps);
  let samples = 0;
  const writeSoundUpTo = (wanted: number): void => {
    while (samples < wanted) {
      const count = Math.min(AAC_SAMPLES, totalSamples - samples);
      if (count <= 0) return;
      const sound = clipSound({ from: samples, count, fps, frames });
      audio.encode(
        { channels: [sound, sound], sampleRate: CLIP_SAMPLE_RATE, pts: (samples * TICKS_PER_SECOND) / CLIP_SAMPLE_RATE },
        (unit) => writer.audio({ ...unit, duration: (AAC_SAMPLES * TICKS_PER_SECOND) / CLIP_SAMPLE_RATE }),
      );
      samples += count;
    }
  };
  try {
    for (let frame = 0; frame < frames; frame += 1) {
      video.encode({ ...scene.draw(frame), pts: pts(frame) }, { keyframe: frame === 0 }, (unit) =>
        writer.video({ ...unit, duration: pts(frame + 1) - pts(frame) }),
      );
      writeSoundUpTo(Math.round(((frame + 1) / fps) * CLIP_SAMPLE_RATE));
      if ((frame + 1) % Math.ceil(fps) === 0) yield (frame + 1) / frames;
    }
    audio.flush((unit) => writer.audio({ ...unit, duration: (AAC_SAMPLES * TICKS_PER_SECOND) / CLIP_SAMPLE_RATE }));
    writer.finish();
  } finally {
    writer.close();
    video.close();
    audio.close();
  }
}
