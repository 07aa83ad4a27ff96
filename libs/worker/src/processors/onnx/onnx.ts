import type { PixelConverter, RgbImage } from '@runnel/media-core';
import { z } from 'zod';
import { defineProcessor } from '../../sdk/definition.ts';
import { FrameProcessor, type ProcessorContext } from '../../sdk/processor.ts';
import type { VideoFrame } from '../../sdk/video-frame.ts';
import { loadModel } from './model.ts';
import { ModelRunner } from './runner.ts';

/** Size of the generated picture that warms a model of any size up. */
const WARM_UP_SIZE = { width: 640, height: 360 } as const;

type Params = typeof params;
const params = z.strictObject({
  model: z
    .string()
    .min(1)
    .max(4096)
    .describe('Path of the ONNX file on the worker: one RGB image in, one out; NCHW or NHWC, float32 in [0, 1] or uint8.'),
  threads: z.int().min(1).max(64).default(1).describe('CPU threads that one inference may use.'),
});

class Onnx extends FrameProcessor<Params> {
  #converter!: PixelConverter;
  #runner: ModelRunner | null = null;
  #loaded: z.output<Params> | null = null;
  #scaled: RgbImage | null = null;

  override async load({ converter, params }: ProcessorContext<Params>): Promise<void> {
    this.#converter = converter;
    await this.#use(params);
  }

  override async updateParams(params: z.output<Params>): Promise<void> {
    if (params.model !== this.#loaded?.model || params.threads !== this.#loaded.threads) await this.#use(params);
  }

  override async processVideo(frame: VideoFrame): Promise<VideoFrame> {
    const runner = this.#runner!;
    const { width, height } = frame;
    const size = runner.inputSize(frame);
    const output = await runner.run(
      size.width === width && size.height === height ? { ...size, data: frame.rgb() } : this.#scale(frame, size),
    );
    // A model of a fixed size works on a scaled picture; what it adds in size is kept, the scaling is undone.
    return frame.replaceRgb(output, {
      width: Math.round((width * output.width) / size.width),
      height: Math.round((height * output.height) / size.height),
    });
  }

  override async onStreamStop(): Promise<void> {
    await this.#runner?.release();
    this.#runner = null;
  }

  /** Loads a model, proves on a generated picture that it works, then puts it in the place of the one before. */
  async #use(wanted: z.output<Params>): Promise<void> {
    const runner = new ModelRunner(await loadModel(wanted.model, { threads: wanted.threads }));
    try {
      const size = runner.inputSize(WARM_UP_SIZE);
      const data = Uint8Array.from({ length: size.width * size.height * 3 }, (_, at) => at % 251);
      await runner.run({ ...size, data });
    } catch (error) {
      await runner.release();
      throw error;
    }
    await this.#runner?.release();
    this.#runner = runner;
    this.#loaded = wanted;
  }

  #scale(frame: VideoFrame, size: { width: number; height: number }): RgbImage {
    if (this.#scaled === null || this.#scaled.width !== size.width || this.#scaled.height !== size.height)
      this.#scaled = { ...size, data: new Uint8Array(size.width * size.height * 3) };
    this.#converter.toRgb(frame.view(), this.#scaled);
    return this.#scaled;
  }
}

/** Runs any image-to-image ONNX model on each frame, on the CPU. */
export const onnx = defineProcessor({
  name: 'onnx',
  description: 'Runs an image-to-image ONNX model on each frame.',
  params,
  create: () => new Onnx(),
});
