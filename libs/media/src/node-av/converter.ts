import { RunnelError } from '@runnel/errors';
import type { Picture, PixelConverter, RgbImage } from '@runnel/media-core';
import { AV_PIX_FMT_RGB24, AV_PIX_FMT_YUV420P, AV_PIX_FMT_YUVJ420P, SWS_BILINEAR, type AVPixelFormat } from 'node-av/constants';
import { SoftwareScaleContext } from 'node-av/lib';
import { asBuffer, check } from './ffmpeg.ts';

/** Pixels in memory as swscale takes them. */
interface Image {
  width: number;
  height: number;
  format: AVPixelFormat;
  planes: Buffer[];
  strides: number[];
}

/** One direction: its context is made anew only when a size or format changes. */
class Scaler {
  #context: SoftwareScaleContext | null = null;
  #key = '';

  run(from: Image, to: Image): void {
    const key = `${from.width}x${from.height}:${from.format}>${to.width}x${to.height}:${to.format}`;
    if (this.#context === null || this.#key !== key) {
      this.close();
      this.#context = new SoftwareScaleContext();
      this.#context.getContext(from.width, from.height, from.format, to.width, to.height, to.format, SWS_BILINEAR);
      this.#key = key;
    }
    check(
      this.#context.scaleSync(from.planes, from.strides, 0, from.height, to.planes, to.strides),
      'internal',
      `Pixels cannot be converted (${key})`,
    );
  }

  close(): void {
    this.#context?.freeContext();
    this.#context = null;
  }
}

/** Conversion by swscale: BT.601 both ways, so that what goes there and back keeps its colours. */
export function openConverter(): PixelConverter {
  const toRgb = new Scaler();
  const fromRgb = new Scaler();
  const scale = new Scaler();
  return {
    toRgb: (picture, into) => toRgb.run(ofPicture(picture), ofRgb(into)),
    fromRgb: (image, into) => fromRgb.run(ofRgb(image), ofPicture(into)),
    scale: (picture, into) => scale.run(ofPicture(picture), ofPicture(into)),
    close: () => {
      for (const scaler of [toRgb, fromRgb, scale]) scaler.close();
    },
  };
}

function ofPicture({ width, height, planes, strides, fullRange }: Omit<Picture, 'release'>): Image {
  planes.forEach((plane, index) => {
    const [columns, rows] = index === 0 ? [width, height] : [(width + 1) >> 1, (height + 1) >> 1];
    // swscale reads and writes memory without asking: a plane that is too short would be a hole in this process.
    if (strides[index] < columns || plane.length < strides[index] * (rows - 1) + columns)
      throw new RunnelError('internal', { message: `Plane ${index} is too short for ${width}x${height}.` });
  });
  return {
    width,
    height,
    format: fullRange === true ? AV_PIX_FMT_YUVJ420P : AV_PIX_FMT_YUV420P,
    planes: planes.map(asBuffer),
    strides: [...strides],
  };
}

function ofRgb({ width, height, data }: RgbImage): Image {
  if (data.length < width * height * 3)
    throw new RunnelError('internal', { message: `An RGB image of ${width}x${height} needs ${width * height * 3} bytes.` });
  return { width, height, format: AV_PIX_FMT_RGB24, planes: [asBuffer(data)], strides: [width * 3] };
}
