import { describe, expect, it } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { frameOf, loaded } from '../../testing/frames.ts';
import { onnx } from './onnx.ts';

const model = (name: string) => join(import.meta.dirname, '../../../models', name);
const SIZE = { width: 40, height: 24 };
const ramp = { y: (x: number, y: number) => 5 * x + y };

describe('onnx', () => {
  it.each(['invert.onnx', 'invert-u8.onnx'])('runs %s on each pixel', async (name) => {
    const processor = await loaded(onnx, { model: model(name) });
    for (const size of [SIZE, { width: 20, height: 10 }, SIZE]) {
      const frame = frameOf(size, ramp);
      const before = Uint8Array.from(frame.y.data);
      expect(await processor.processVideo(frame)).toBe(frame);
      expect([frame.width, frame.height]).toEqual([size.width, size.height]);
      expect([...frame.y.data]).toEqual(Array.from(before, (luma) => 255 - luma));
    }
    await processor.onStreamStop();
  });

  it('scales to the size of a fixed model and back', async () => {
    const processor = await loaded(onnx, { model: model('invert-96x64.onnx') });
    const frame = frameOf({ width: 192, height: 128 }, { y: (x) => (x < 96 ? 10 : 200) });
    await processor.processVideo(frame);
    expect([frame.width, frame.height]).toEqual([192, 128]);
    expect([frame.y.data[0], frame.y.data[191]]).toEqual([245, 55]);
    await processor.onStreamStop();
  });

  it('gives what a model adds in size', async () => {
    const processor = await loaded(onnx, { model: model('upscale2x.onnx') });
    const frame = frameOf(SIZE, ramp);
    const source = Uint8Array.from(frame.y.data);
    await processor.processVideo(frame);
    expect([frame.width, frame.height]).toEqual([80, 48]);
    expect(frame.y.data[2 * 7 * 80 + 2 * 11]).toBe(source[7 * 40 + 11]);
    await processor.onStreamStop();
  });

  it('sharpens an edge by its neighbours', async () => {
    const processor = await loaded(onnx, { model: model('sharpen.onnx') });
    const frame = frameOf(SIZE, { y: (x) => (x < 20 ? 100 : 150) });
    await processor.processVideo(frame);
    // 5 * centre minus the four neighbours, away from the border.
    expect([...frame.y.data.subarray(5 * 40 + 18, 5 * 40 + 22)]).toEqual([100, 50, 200, 150]);
    await processor.onStreamStop();
  });

  it('changes its model in mid-stream, and keeps the old one when the new one fails', async () => {
    const processor = await loaded(onnx, { model: model('invert.onnx') });
    await expect(processor.updateParams({ model: '/nowhere.onnx', threads: 1 })).rejects.toMatchObject({ code: 'model_failed' });
    const frame = frameOf(SIZE, { y: () => 10 });
    await processor.processVideo(frame);
    expect(frame.y.data[0]).toBe(245);
    await processor.updateParams({ model: model('sharpen.onnx'), threads: 2 });
    const next = frameOf(SIZE, { y: () => 10 });
    await processor.processVideo(next);
    expect(next.y.data[5 * 40 + 5]).toBe(10);
    await processor.onStreamStop();
  });

  it('says why a model cannot be used', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'runnel-'));
    const text = join(folder, 'text.onnx');
    writeFileSync(text, 'This is not a model.');
    const refusal = async (path: string) => {
      const error: unknown = await loaded(onnx, { model: path }).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'model_failed' });
      return (error as Error).message;
    };
    expect(await refusal(join(folder, 'none.onnx'))).toContain('there is no such file');
    expect(await refusal(folder)).toContain('there is no such file');
    expect(await refusal(text)).toContain('ONNX Runtime refuses it');
    expect(await refusal(model('mean.onnx'))).toContain("its output 'y' has the shape [1]");
    await rm(folder, { recursive: true });
  });
});
