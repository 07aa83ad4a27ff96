import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { Element, Layout } from './model.ts';
import { allocateImage, imageShape, packImage, unpackImage } from './tensor.ts';

const forms = fc.constantFrom<[Layout, Element]>(['nchw', 'float32'], ['nchw', 'uint8'], ['nhwc', 'float32'], ['nhwc', 'uint8']);

describe('image tensors', () => {
  it('put each colour where the layout wants it, and give every value back exactly', () => {
    fc.assert(
      fc.property(
        forms,
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 6 }),
        fc.infiniteStream(fc.integer({ min: 0, max: 255 })),
        (form, width, height, values) => {
          const [layout, element] = form;
          const rgb = Uint8Array.from({ length: width * height * 3 }, () => values.next().value as number);
          const data = allocateImage(element, rgb.length);
          packImage(rgb, data, layout);
          const [, second] = imageShape(layout, { width, height });
          expect(second).toBe(layout === 'nchw' ? 3 : height);
          const scale = element === 'float32' ? 255 : 1;
          for (let at = 0; at < rgb.length; at += 1) {
            const place = layout === 'nhwc' ? at : (at % 3) * width * height + Math.floor(at / 3);
            expect(Math.round(data[place] * scale)).toBe(rgb[at]);
          }
          const back = { width, height, data: new Uint8Array(rgb.length) };
          unpackImage(data, back, layout);
          expect(back.data).toEqual(rgb);
        },
      ),
    );
  });

  it('clamp what a model overshoots', () => {
    const back = { width: 1, height: 1, data: new Uint8Array(3) };
    unpackImage(Float32Array.of(-0.1, 1.1, 0.5), back, 'nchw');
    expect([...back.data]).toEqual([0, 255, 128]);
  });
});
