/**
 * Writes the small ONNX models that tests and examples use, without Python: `node tools/make-model.mjs` puts them under
 * libs/worker/models. Field numbers are those of onnx.proto3 (IR 8, opset 17).
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const IR_VERSION = 8;
const OPSET = 17;
const FLOAT = 1;
const UINT8 = 2;

/** Base-128 varint of a non-negative integer. */
function varint(value) {
  const bytes = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) | 0x80);
  }
}

const integer = (field, value) => [...varint(field * 8), ...varint(value)];
const bytes = (field, content) => [...varint(field * 8 + 2), ...varint(content.length), ...content];
const text = (field, value) => bytes(field, [...new TextEncoder().encode(value)]);
const floatBytes = (values) => [...new Uint8Array(Float32Array.from(values).buffer)];

/** ValueInfoProto of a tensor; a dimension is a number or a name. */
function value(name, type, dims) {
  const shape = dims.flatMap((dim) => bytes(1, typeof dim === 'number' ? integer(1, dim) : text(2, dim)));
  const tensor = [...integer(1, type), ...bytes(2, shape)];
  return [...text(1, name), ...bytes(2, bytes(1, tensor))];
}

/** TensorProto of 32-bit floats. */
const constant = (name, dims, values) => [
  ...dims.flatMap((dim) => integer(1, dim)),
  ...integer(2, FLOAT),
  ...text(8, name),
  ...bytes(9, floatBytes(values)),
];

const intAttribute = (name, number) => [...text(1, name), ...integer(3, number), ...integer(20, 2)];
const stringAttribute = (name, string) => [...text(1, name), ...text(4, string), ...integer(20, 3)];
const intsAttribute = (name, numbers) => [...text(1, name), ...numbers.flatMap((number) => integer(8, number)), ...integer(20, 7)];

/** NodeProto. */
const node = (op, inputs, outputs, attributes = []) => [
  ...inputs.flatMap((input) => text(1, input)),
  ...outputs.flatMap((output) => text(2, output)),
  ...text(4, op),
  ...attributes.flatMap((attribute) => bytes(5, attribute)),
];

/** ModelProto as the bytes of a file. */
function model(name, { nodes, constants = [], input, output }) {
  const graph = [
    ...nodes.flatMap((content) => bytes(1, content)),
    ...text(2, name),
    ...constants.flatMap((content) => bytes(5, content)),
    ...bytes(11, input),
    ...bytes(12, output),
  ];
  return Uint8Array.from([...integer(1, IR_VERSION), ...text(2, 'runnel'), ...bytes(7, graph), ...bytes(8, integer(2, OPSET))]);
}

const image = (name, height = 'height', width = 'width') => value(name, FLOAT, [1, 3, height, width]);
const one = constant('one', [1], [1]);
const KERNEL = { sharpen: [0, -1, 0, -1, 5, -1, 0, -1, 0], edge: [-1, -1, -1, -1, 8, -1, -1, -1, -1] };

/** A 3x3 kernel on each colour alone, clipped to [0, 1]. */
const kernel = (name) =>
  model(name, {
    nodes: [
      node(
        'Conv',
        ['x', 'kernel'],
        ['raw'],
        [intAttribute('group', 3), intsAttribute('kernel_shape', [3, 3]), intsAttribute('pads', [1, 1, 1, 1])],
      ),
      node('Clip', ['raw', 'zero', 'high'], ['y']),
    ],
    constants: [
      constant('kernel', [3, 1, 3, 3], [...KERNEL[name], ...KERNEL[name], ...KERNEL[name]]),
      constant('zero', [], [0]),
      constant('high', [], [1]),
    ],
    input: image('x'),
    output: image('y'),
  });

/** Every model by its file's name: a function that returns its bytes. */
export const MODELS = {
  /** 1 - x, NCHW float32, any size. */
  'invert.onnx': () =>
    model('invert', { nodes: [node('Sub', ['one', 'x'], ['y'])], constants: [one], input: image('x'), output: image('y') }),
  /** The same for pictures of 96x64 only. */
  'invert-96x64.onnx': () =>
    model('invert-96x64', {
      nodes: [node('Sub', ['one', 'x'], ['y'])],
      constants: [one],
      input: image('x', 64, 96),
      output: image('y', 64, 96),
    }),
  /** 255 - x, NHWC uint8, any size. */
  'invert-u8.onnx': () =>
    model('invert-u8', {
      nodes: [
        node('Cast', ['x'], ['f'], [intAttribute('to', FLOAT)]),
        node('Sub', ['white', 'f'], ['g']),
        node('Cast', ['g'], ['y'], [intAttribute('to', UINT8)]),
      ],
      constants: [constant('white', [1], [255])],
      input: value('x', UINT8, [1, 'height', 'width', 3]),
      output: value('y', UINT8, [1, 'height', 'width', 3]),
    }),
  'sharpen.onnx': () => kernel('sharpen'),
  'edge.onnx': () => kernel('edge'),
  /** Twice the size each way, nearest neighbour, NCHW float32. */
  'upscale2x.onnx': () =>
    model('upscale2x', {
      nodes: [
        node(
          'Resize',
          ['x', '', 'scales'],
          ['y'],
          [
            stringAttribute('mode', 'nearest'),
            stringAttribute('coordinate_transformation_mode', 'asymmetric'),
            stringAttribute('nearest_mode', 'floor'),
          ],
        ),
      ],
      constants: [constant('scales', [4], [1, 1, 2, 2])],
      input: image('x'),
      output: image('y', 'height2', 'width2'),
    }),
  /** The picture's mean: not an image, so that refusing it can be tested. */
  'mean.onnx': () =>
    model('mean', {
      nodes: [node('ReduceMean', ['x'], ['y'], [intsAttribute('axes', [1, 2, 3]), intAttribute('keepdims', 0)])],
      input: image('x'),
      output: value('y', FLOAT, [1]),
    }),
};

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const folder = join(import.meta.dirname, '..', 'libs', 'worker', 'models');
  mkdirSync(folder, { recursive: true });
  for (const [name, make] of Object.entries(MODELS)) {
    const content = make();
    writeFileSync(join(folder, name), content);
    console.log(`${name}: ${content.length} bytes`);
  }
}
