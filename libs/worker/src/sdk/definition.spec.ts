import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { BUILT_IN_PROCESSORS } from '../processors/built-in.ts';
import { grayscale } from '../processors/grayscale.ts';
import { tint } from '../processors/tint.ts';
import { AudioFrame } from './audio-frame.ts';
import { defineProcessor, describeProcessor, parseParams } from './definition.ts';

describe('the definition of a processor', () => {
  it('is published with its parameters as JSON Schema', () => {
    expect(describeProcessor(grayscale)).toEqual({
      processor: 'grayscale',
      description: 'Takes the colour out of the picture.',
      paramsSchema: {
        $schema: 'https://json-schema.org/draft/2020-12/schema',
        type: 'object',
        properties: { amount: { type: 'number', minimum: 0, maximum: 1, default: 1, description: '0 keeps the colours, 1 removes them.' } },
        additionalProperties: false,
      },
    });
  });

  it('fills defaults in, and names each field that is wrong', () => {
    expect(parseParams(tint, { amount: 1 })).toEqual({ color: '#18b7a0', amount: 1 });
    let thrown: unknown;
    try {
      parseParams(tint, { color: 'red', strength: 1 });
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({
      code: 'invalid_params',
      message: "Parameters of 'tint': 'color' must be a colour such as #18b7a0; 'strength' is not a parameter (there are: color, amount).",
      fields: [{ path: 'color' }, { path: 'strength' }],
    });
  });

  it('is refused with a bad name or a schema that would swallow misspelt names', () => {
    const { description, create } = grayscale;
    expect(() => defineProcessor({ ...grayscale, name: 'Gray Scale' })).toThrow("'Gray Scale'");
    expect(() => defineProcessor({ name: 'loose', description, create, params: z.object({}) as never })).toThrow('strictObject');
  });

  it('has a name of its own for each built-in processor, and defaults for all but the model', () => {
    expect(BUILT_IN_PROCESSORS.map(({ name }) => name)).toEqual(['passthrough', 'grayscale', 'tint', 'overlay', 'blur', 'onnx']);
    for (const definition of BUILT_IN_PROCESSORS.slice(0, -1)) expect(() => parseParams(definition, {})).not.toThrow();
  });
});

describe('AudioFrame', () => {
  const half = new Float32Array(480);
  it('takes planar floats of one length and a possible rate only', () => {
    const frame = new AudioFrame({ channels: [half, half], sampleRate: 48_000, pts: 5 });
    expect(frame.samples).toBe(480);
    expect(frame.withChannels([half])).toMatchObject({ sampleRate: 48_000, pts: 5 });
    const refused = (block: ConstructorParameters<typeof AudioFrame>[0]) =>
      expect(() => new AudioFrame(block)).toThrow('Not an audio frame');
    refused({ channels: [half, new Float32Array(479)], sampleRate: 48_000, pts: 0 });
    refused({ channels: [], sampleRate: 48_000, pts: 0 });
    refused({ channels: [half], sampleRate: 1, pts: 0 });
    refused({ channels: [half], sampleRate: 48_000, pts: Number.NaN });
    refused({ channels: [[0, 1] as unknown as Float32Array], sampleRate: 48_000, pts: 0 });
  });
});
