import { RunnelError } from '@runnel/errors';
import type { EncodedUnit, MediaDriver, Picture, PixelConverter, Ticks, VideoEncoderOptions } from '@runnel/media-core';
import type { PictureView } from '../sdk/picture-pool.ts';

/** What a unit of the toy codec says: one flat colour. */
export interface Flat {
  width: number;
  height: number;
  y: number;
  u: number;
  v: number;
}

/** An access unit that the demuxer takes for H.264: one NAL unit whose payload is JSON. */
export function toyUnit(flat: Flat, { pts, keyframe }: { pts: Ticks; keyframe: boolean }): EncodedUnit {
  const nal = keyframe ? [0, 0, 0, 1, 0x67, 0x80, 0, 0, 1, 0x65, 0x80] : [0, 0, 0, 1, 0x41, 0x80];
  const data = Uint8Array.from([...nal, ...new TextEncoder().encode(JSON.stringify(flat))]);
  return { data, pts, dts: pts, keyframe };
}

/** What a unit says. @throws RunnelError `broken_media` when it is not ours. */
export function readToyUnit(data: Uint8Array): Flat {
  const text = new TextDecoder().decode(data);
  try {
    return JSON.parse(text.slice(text.indexOf('{'))) as Flat;
  } catch {
    throw new RunnelError('broken_media', { message: 'This picture cannot be decoded.' });
  }
}

/** A picture of one colour. `onRelease` tells when its memory is given back. */
export function flatPicture({ width, height, y, u, v }: Flat, pts: Ticks, onRelease: () => void = () => undefined): Picture {
  const chroma = ((width + 1) >> 1) * ((height + 1) >> 1);
  return {
    width,
    height,
    pts,
    planes: [new Uint8Array(width * height).fill(y), new Uint8Array(chroma).fill(u), new Uint8Array(chroma).fill(v)],
    strides: [width, (width + 1) >> 1, (width + 1) >> 1],
    release: onRelease,
  };
}

/** Grey only: R = G = B = Y. Enough to see that conversion happens, and when. */
export function greyConverter(): PixelConverter & { calls: string[] } {
  const calls: string[] = [];
  const sample = (from: number, size: number, to: number) => Math.min(size - 1, Math.floor((from * size) / to));
  return {
    calls,
    toRgb: (picture, into) => {
      calls.push('toRgb');
      for (let row = 0; row < into.height; row += 1)
        for (let x = 0; x < into.width; x += 1) {
          const at = sample(row, picture.height, into.height) * picture.strides[0] + sample(x, picture.width, into.width);
          into.data.fill(picture.planes[0][at], (row * into.width + x) * 3, (row * into.width + x) * 3 + 3);
        }
    },
    fromRgb: (image, into) => {
      calls.push('fromRgb');
      for (let row = 0; row < into.height; row += 1)
        for (let x = 0; x < into.width; x += 1) {
          const at = sample(row, image.height, into.height) * image.width + sample(x, image.width, into.width);
          into.planes[0][row * into.strides[0] + x] = image.data[at * 3];
        }
      into.planes[1].fill(128);
      into.planes[2].fill(128);
    },
    scale: () => calls.push('scale'),
    close: () => calls.push('close'),
  };
}

/** What a toy driver has opened and lent. */
export interface ToyDriver extends MediaDriver {
  readonly encoders: VideoEncoderOptions[];
  /** Pictures that are decoded and not released. */
  readonly lent: () => number;
  /** Codecs that are open. */
  readonly open: () => number;
}

/** A codec for tests of everything around a codec: exact, instant, and strict about what it is given. */
export function createToyDriver(): ToyDriver {
  const encoders: VideoEncoderOptions[] = [];
  let lent = 0;
  let open = 0;
  const refuse = () => Promise.reject(new RunnelError('unsupported_codec', { message: 'The toy codec has no sound.' }));
  return {
    name: 'toy',
    encoders,
    lent: () => lent,
    open: () => open,
    openVideoDecoder: async () => {
      open += 1;
      return {
        decode: ({ data, pts }, onPicture) => {
          const flat = readToyUnit(data);
          lent += 1;
          let released = false;
          onPicture(
            flatPicture(flat, pts, () => {
              if (!released) lent -= 1;
              released = true;
            }),
          );
        },
        flush: () => undefined,
        close: () => (open -= 1),
      };
    },
    openVideoEncoder: async (options) => {
      encoders.push(options);
      open += 1;
      return {
        encode: (picture, { keyframe }, onUnit) => {
          if (picture.width !== options.width || picture.height !== options.height) throw new Error('wrong size for this encoder');
          const { width, height, pts } = picture;
          onUnit(toyUnit({ width, height, ...corner(picture) }, { pts, keyframe }));
        },
        flush: () => undefined,
        close: () => (open -= 1),
      };
    },
    openAudioDecoder: refuse,
    openAudioEncoder: refuse,
    openConverter: greyConverter,
  };
}

/** First sample of each plane. */
function corner({ planes }: Pick<PictureView, 'planes'>): { y: number; u: number; v: number } {
  return { y: planes[0][0], u: planes[1][0], v: planes[2][0] };
}
