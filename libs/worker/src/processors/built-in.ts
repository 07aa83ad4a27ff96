import type { ProcessorDefinition } from '../sdk/definition.ts';
import { blur } from './blur.ts';
import { grayscale } from './grayscale.ts';
import { onnx } from './onnx/onnx.ts';
import { overlay } from './overlay/overlay.ts';
import { passthrough } from './passthrough.ts';
import { tint } from './tint.ts';

/** The processors that every worker offers. */
export const BUILT_IN_PROCESSORS: readonly ProcessorDefinition[] = [passthrough, grayscale, tint, overlay, blur, onnx];
