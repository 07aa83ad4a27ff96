import { stat } from 'node:fs/promises';
import { RunnelError } from '@runnel/errors';
import type * as Ort from 'onnxruntime-node';

/** How an image lies in a tensor: batch, colours, rows, columns; or colours last. */
export type Layout = 'nchw' | 'nhwc';
/** Elements of an image tensor: float32 in [0, 1] or uint8 in 0 to 255. */
export type Element = 'float32' | 'uint8';

/** One image that a model takes or gives. */
interface ImagePort {
  readonly name: string;
  readonly layout: Layout;
  readonly element: Element;
  /** Null where the model takes any. */
  readonly width: number | null;
  readonly height: number | null;
}

/** A loaded image-to-image model. */
export interface Model {
  readonly path: string;
  readonly input: ImagePort;
  readonly output: ImagePort;
  readonly runtime: typeof Ort;
  readonly session: Ort.InferenceSession;
}

/** The ways in which a model fails, all `model_failed`. */
export function modelError(path: string, why: string, cause?: unknown): RunnelError {
  return new RunnelError('model_failed', { message: `Model '${path}' cannot be used: ${why}.`, cause });
}

/**
 * Loads a model with one image in and one image out.
 * @throws RunnelError `model_failed` when the runtime or the file is missing, or when the model is of another kind.
 */
export async function loadModel(path: string, { threads }: { threads: number }): Promise<Model> {
  const runtime = await loadRuntime(path);
  const found = await stat(path).catch(() => null);
  if (found === null || !found.isFile()) throw modelError(path, 'there is no such file');
  const session = await runtime.InferenceSession.create(path, {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    // Waiting threads that spin would take the cores from the codec.
    extra: { session: { intra_op: { allow_spinning: '0' } } },
    logSeverityLevel: 3,
  }).catch((error: unknown) => {
    throw modelError(path, `ONNX Runtime refuses it (${firstLine(error)})`, error);
  });
  try {
    const input = imagePort(path, 'input', session.inputMetadata);
    return { path, runtime, session, input, output: imagePort(path, 'output', session.outputMetadata) };
  } catch (error) {
    await session.release();
    throw error;
  }
}

/** The package is optional: most workers run without it. */
async function loadRuntime(path: string): Promise<typeof Ort> {
  // Its Linux builds report usage to their maker and leave files in the temporary folder, unless told otherwise before they load.
  process.env['ORT_DISABLE_TELEMETRY'] = '1';
  try {
    return await import('onnxruntime-node');
  } catch (error) {
    throw new RunnelError('model_failed', {
      message: `Model '${path}' cannot be used: the package onnxruntime-node is not installed here or does not load.`,
      hint: 'npm install onnxruntime-node',
      cause: error,
    });
  }
}

/** First line of what a library threw. */
export function firstLine(thrown: unknown): string {
  return (thrown instanceof Error ? thrown.message : String(thrown)).split('\n')[0].slice(0, 300);
}

function imagePort(path: string, side: 'input' | 'output', all: readonly Ort.InferenceSession.ValueMetadata[]): ImagePort {
  const [value] = all;
  if (value === undefined || all.length !== 1) throw modelError(path, `it has ${all.length} ${side}s; one image is wanted`);
  if (!value.isTensor) throw modelError(path, `its ${side} '${value.name}' is not a tensor`);
  const { name, type, shape } = value;
  const shown = `[${shape.join(', ')}]`;
  if (type !== 'float32' && type !== 'uint8')
    throw modelError(path, `its ${side} '${name}' has elements of type ${type}; float32 in [0, 1] or uint8 is wanted`);
  if (shape.length !== 4 || (typeof shape[0] === 'number' && shape[0] !== 1 && shape[0] !== -1))
    throw modelError(path, `its ${side} '${name}' has the shape ${shown}; a batch of one image with four dimensions is wanted`);
  const layout = shape[1] === 3 ? 'nchw' : shape[3] === 3 ? 'nhwc' : null;
  if (layout === null) throw modelError(path, `its ${side} '${name}' has the shape ${shown}; three colours are wanted, first or last`);
  const [height, width] = layout === 'nchw' ? [shape[2], shape[3]] : [shape[1], shape[2]];
  return { name, layout, element: type, width: fixed(width), height: fixed(height) };
}

function fixed(dimension: number | string | undefined): number | null {
  return typeof dimension === 'number' && dimension > 0 ? dimension : null;
}
