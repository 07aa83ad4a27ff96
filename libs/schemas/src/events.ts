import { z } from 'zod';
import { EndReason, ParamValues, SessionState, SessionStats } from './session.ts';

/** Milliseconds since the epoch. */
const EpochMs = z.number().min(0);

/** Times at which one frame passed a point inside the worker, in epoch ms with fractions; `pts` (90 kHz) identifies the frame. */
export const FrameTrace = z.strictObject({
  pts: z.number(),
  receivedMs: EpochMs.describe('Last byte of its access unit was read.'),
  decodedMs: EpochMs,
  dequeuedMs: EpochMs.describe('Left the queue before the processor.'),
  processedMs: EpochMs,
  sentMs: EpochMs.describe('Its last transport packet was handed to the publisher.'),
});
export type FrameTrace = z.infer<typeof FrameTrace>;

/**
 * What a worker says on the `events` channel, inside PyTrickle's envelope `{"event": …, "queue_event_type": …}`.
 * Unknown types are kept and passed on: PyTrickle containers add their own.
 */
export const WorkerEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('stream_started'), timestamp: EpochMs }),
  z.object({ type: z.literal('stream_stopped'), timestamp: EpochMs, reason: EndReason, detail: z.string() }),
  z.object({ type: z.literal('heartbeat'), timestamp: EpochMs, stats: SessionStats }),
  z.object({
    type: z.literal('params_applied'),
    timestamp: EpochMs,
    revision: z.int(),
    frame: z.int().min(0).describe('Output frame number, from 0, that is the first with these values.'),
    pts: z.number().describe('PTS (90 kHz) of that frame.'),
    params: ParamValues,
  }),
  z.object({ type: z.literal('params_rejected'), timestamp: EpochMs, revision: z.int(), reason: z.string() }),
  z.object({ type: z.literal('gap'), timestamp: EpochMs, from: z.int(), to: z.int(), reason: z.string() }),
  z.object({ type: z.literal('warning'), timestamp: EpochMs, code: z.string(), message: z.string() }),
  z.object({ type: z.literal('error'), timestamp: EpochMs, code: z.string(), message: z.string() }),
  z.object({ type: z.literal('frames'), timestamp: EpochMs, frames: z.array(FrameTrace) }),
]);
export type WorkerEvent = z.infer<typeof WorkerEvent>;

/** PyTrickle's envelope of an event on the wire. */
export const EventEnvelope = z.object({ event: z.looseObject({ type: z.string() }), queue_event_type: z.string() });

/** `data:` of `GET /v1/sessions/{id}/events`: a worker's event as it is, or a change of the session's state. */
export const SessionEvent = z.union([
  WorkerEvent,
  z.object({
    type: z.literal('session_state'),
    timestamp: EpochMs,
    state: SessionState,
    reason: EndReason.nullable(),
    detail: z.string().nullable(),
  }),
]);
export type SessionEvent = z.infer<typeof SessionEvent>;

/** A message on the `control` channel. PyTrickle reads any object as parameters and ignores `{"keep":"alive"}`; `runnel` carries what ours needs. */
export const ControlMessage = z.looseObject({
  runnel: z.strictObject({ revision: z.int().min(0) }).optional(),
});
