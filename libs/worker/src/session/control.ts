import { RunnelError } from '@runnel/errors';
import { ControlMessage, type ParamValues } from '@runnel/schemas';
import type { ReadSegment, Subscriber } from '@runnel/trickle-core';
import type { ParamUpdate } from '../path/param-lane.ts';
import { splitJson } from './json-stream.ts';

/** Largest control segment that is read. */
const CONTROL_SEGMENT_MAX_BYTES = 1 << 20;

/** What to read and whom to tell. `onParams` is awaited, so that updates are applied in order. */
export interface ControlOptions {
  subscriber: Subscriber;
  signal: AbortSignal;
  /** Parameters have come. */
  onParams: (update: ParamUpdate) => Promise<void>;
  /** A message was not understood, or messages were missed; the channel is read on. */
  onWarning: (code: string, message: string) => void;
}

/**
 * Reads the control channel to its end by PyTrickle's rules: `{"keep":"alive"}` is ignored, any other object holds parameters. A message may be
 * split over any number of chunks, and a segment may hold several. `runnel.revision` numbers an update; without it the last number holds.
 */
export async function readControl({ subscriber, signal, onParams, onWarning }: ControlOptions): Promise<void> {
  let revision = 0;
  for (;;) {
    const next = await subscriber.next(signal);
    if (next === null) return;
    if (next.kind === 'gap') {
      onWarning('control_gap', `Control messages ${next.from} to ${next.to - 1} were missed.`);
      continue;
    }
    try {
      for (const text of splitJson(await readText(next))) {
        const update = toUpdate(text, revision);
        if (update === null) continue;
        ({ revision } = update);
        await onParams(update);
      }
    } catch (error) {
      if (!(error instanceof RunnelError)) throw error;
      onWarning(error.code, error.message);
    }
  }
}

function toUpdate(text: string, lastRevision: number): ParamUpdate | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new RunnelError('invalid_request', { message: 'A control message is not JSON.' });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new RunnelError('invalid_request', { message: 'A control message is not a JSON object.' });
  if (Object.keys(value).length === 1 && (value as { keep?: unknown }).keep === 'alive') return null;
  const parsed = ControlMessage.safeParse(value);
  if (!parsed.success) throw new RunnelError('invalid_request', { message: "The 'runnel' part of a control message is not understood." });
  const { runnel, ...values } = parsed.data;
  return { revision: runnel?.revision ?? lastRevision, values: values as ParamValues };
}

async function readText(segment: ReadSegment): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of segment.bytes) {
    bytes += chunk.length;
    if (bytes > CONTROL_SEGMENT_MAX_BYTES)
      throw new RunnelError('payload_too_large', { message: `A control message is longer than ${CONTROL_SEGMENT_MAX_BYTES} bytes.` });
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
