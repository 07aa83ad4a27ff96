import { RunnelError } from '@runnel/errors';
import { FileDecoder } from '../file/file-decoder.ts';
import { openMediaFile } from '../file/media-file.ts';
import { readBarcode } from './barcode.ts';
import { CounterCheck, type ClipCounters } from './counters.ts';
import { cells, FLASH, meanLuma } from './layout.ts';
import { SyncCheck } from './sync-check.ts';

/** What was found in a file. */
export interface ClipReport {
  /** Pictures that could be decoded. */
  frames: number;
  /** Size of the first picture. */
  width: number;
  height: number;
  /** The burnt-in frame numbers; null for a file that carries none. */
  counters: ClipCounters | null;
  /** Each picture is later than the one before. */
  ptsMonotonic: boolean;
  /** Mean of flash onset minus beep onset, positive when the sound is early; null for a file without these marks. */
  avOffsetMs: number | null;
  /** As the container says; null when it does not. */
  durationMs: number | null;
  hasAudio: boolean;
}

/** Reads a whole file and checks its marks. @throws RunnelError as `openMediaFile`, and `broken_media` when no picture can be decoded. */
export async function inspectFile(path: string): Promise<ClipReport> {
  const file = openMediaFile(path);
  try {
    const decoder = await FileDecoder.open(file);
    try {
      const counters = new CounterCheck();
      const sync = new SyncCheck();
      const found = { frames: 0, width: file.width, height: file.height };
      let lastPts = Number.NEGATIVE_INFINITY;
      let ptsMonotonic = true;
      let blocks = 0;
      const sink = {
        picture: (picture: Parameters<typeof readBarcode>[0] & { release: () => void }) => {
          if (found.frames === 0) Object.assign(found, { width: picture.width, height: picture.height });
          found.frames += 1;
          ptsMonotonic &&= picture.pts > lastPts;
          lastPts = picture.pts;
          counters.add(readBarcode(picture));
          const { x, y, width, height } = cells(picture, FLASH);
          // Without the edges, which blur.
          const inner = { x: x + (width >> 2), y: y + (height >> 2), width: Math.max(1, width >> 1), height: Math.max(1, height >> 1) };
          sync.addFrame(picture.pts, meanLuma(picture.planes[0], picture.strides[0], inner));
          picture.release();
        },
        block: (block: Parameters<SyncCheck['addSound']>[0]) => {
          blocks += 1;
          sync.addSound(block);
        },
      };
      while (decoder.step(sink));
      if (found.frames === 0) throw new RunnelError('broken_media', { message: `No picture of ${path} can be decoded.` });
      const numbers = counters.result();
      const offset = numbers === null ? null : sync.result();
      return {
        ...found,
        counters: numbers,
        ptsMonotonic,
        avOffsetMs: offset === null ? null : Math.round(offset * 100) / 100,
        durationMs: file.durationMs === null ? null : Math.round(file.durationMs),
        hasAudio: blocks > 0,
      };
    } finally {
      decoder.close();
    }
  } finally {
    file.close();
  }
}
