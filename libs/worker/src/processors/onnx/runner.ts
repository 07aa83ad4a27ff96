import type { RgbImage } from '@runnel/media-core';
import type * as Ort from 'onnxruntime-node';
import { firstLine, modelError, type Model } from './model.ts';
import { allocateImage, imageShape, packImage, unpackImage, type ImageData } from './tensor.ts';

interface Size {
  width: number;
  height: number;
}

/** Runs one model on images, with memory that is made anew only when a size changes. */
export class ModelRunner {
  readonly model: Model;
  #input: { data: ImageData; tensor: Ort.Tensor; size: Size } | null = null;
  #output: RgbImage | null = null;

  constructor(model: Model) {
    this.model = model;
  }

  /** The size in which the model wants a picture of this size: its own, or the picture's. */
  inputSize(picture: Size): Size {
    const { width, height } = this.model.input;
    return { width: width ?? picture.width, height: height ?? picture.height };
  }

  /** What the model makes of an image of `inputSize`; valid until the next call. @throws RunnelError `model_failed`. */
  async run(image: RgbImage): Promise<RgbImage> {
    const { model } = this;
    const { data, tensor } = this.#inputFor(image);
    packImage(image.data, data, model.input.layout);
    const results = await model.session.run({ [model.input.name]: tensor }).catch((error: unknown) => {
      throw modelError(model.path, `it fails on a picture of ${image.width}x${image.height} (${firstLine(error)})`, error);
    });
    const result = results[model.output.name];
    const output = this.#outputFor(result);
    unpackImage(result.data as ImageData, output, model.output.layout);
    result.dispose();
    return output;
  }

  /** Frees the model. */
  async release(): Promise<void> {
    await this.model.session.release();
  }

  #inputFor(size: Size): { data: ImageData; tensor: Ort.Tensor } {
    if (this.#input !== null && this.#input.size.width === size.width && this.#input.size.height === size.height) return this.#input;
    const { element, layout } = this.model.input;
    const data = allocateImage(element, size.width * size.height * 3);
    const { Tensor } = this.model.runtime;
    const shape = imageShape(layout, size);
    const tensor = data instanceof Uint8Array ? new Tensor('uint8', data, shape) : new Tensor('float32', data, shape);
    this.#input = { data, tensor, size: { width: size.width, height: size.height } };
    return this.#input;
  }

  #outputFor(result: Ort.Tensor): RgbImage {
    const { dims } = result;
    const [colours, height, width] = this.model.output.layout === 'nchw' ? [dims[1], dims[2], dims[3]] : [dims[3], dims[1], dims[2]];
    if (dims.length !== 4 || dims[0] !== 1 || colours !== 3 || !width || !height)
      throw modelError(this.model.path, `it gave the shape [${dims.join(', ')}], which is no image`);
    if (this.#output === null || this.#output.width !== width || this.#output.height !== height)
      this.#output = { width, height, data: new Uint8Array(width * height * 3) };
    return this.#output;
  }
}
