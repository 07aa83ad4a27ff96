import { z } from 'zod';

/** Session id as clients see it: `ses_` and 20 characters of base32, unguessable. */
export const SessionId = z
  .string()
  .regex(/^ses_[a-z2-7]{20}$/)
  .meta({ id: 'SessionId', example: 'ses_k3v7p2mq5xw4ya6znb7c' });

/** Where a session is in its life. `ended` is final and carries a reason. */
export const SessionState = z.enum(['placing', 'starting', 'running', 'stopping', 'ended']).meta({ id: 'SessionState' });
export type SessionState = z.infer<typeof SessionState>;

/** Why a session ended. */
export const EndReason = z
  .enum(['stopped', 'input_ended', 'start_failed', 'worker_lost', 'processor_failed', 'broken_input', 'idle', 'shutdown'])
  .meta({ id: 'EndReason' });
export type EndReason = z.infer<typeof EndReason>;

/** Parameter values of a processor: a flat JSON object, checked against the schema that the worker published. Also the body of `PATCH /v1/sessions/{id}/params` (only the keys to change). */
export const ParamValues = z.record(z.string(), z.json()).meta({ id: 'ParamValues' });
export type ParamValues = z.infer<typeof ParamValues>;

/** How the worker encodes and cuts its output. */
export const OutputOptions = z
  .strictObject({
    segmentFrames: z.int().min(1).max(300).default(2).describe('Frames a trickle segment holds.'),
    gopFrames: z.int().min(1).max(600).default(60).describe('Frames from one keyframe to the next.'),
    bitrateKbps: z.int().min(50).max(50_000).default(2000).describe('Target video bitrate, kbit/s.'),
    maxFramerate: z.number().min(1).max(120).optional().describe('Upper bound of processed frames per second; none if absent.'),
  })
  .meta({ id: 'OutputOptions' });
export type OutputOptions = z.infer<typeof OutputOptions>;

/** Body of `POST /v1/sessions`. */
export const CreateSession = z
  .strictObject({
    processor: z.string().min(1).max(64).describe('Name of a processor: see GET /v1/capabilities.'),
    params: ParamValues.default({}),
    output: OutputOptions.prefault({}),
    trace: z.boolean().default(false).describe('Report the timing of every frame in `frames` events.'),
  })
  .meta({ id: 'CreateSession' });
export type CreateSession = z.infer<typeof CreateSession>;

/**
 * Trickle URLs of a session's channels. Each one is a secret that lets its holder do what is said here; on an edge without keys, whatever can be done with the channel.
 * They are valid as long as the session.
 */
export const SessionUrls = z
  .strictObject({
    publish: z.url().describe('Channel to publish the source video to (MPEG-TS), and to end when it is over.'),
    play: z.url().describe('Channel to read the processed video from (MPEG-TS).'),
    events: z.url().describe('Channel to read worker events from (JSON).'),
    data: z.url().describe('Channel to read data output from (JSON lines).'),
  })
  .meta({ id: 'SessionUrls' });
export type SessionUrls = z.infer<typeof SessionUrls>;

/** The parameters that a session was last given, and how far the worker got with them. */
export const SessionParams = z
  .strictObject({
    revision: z.int().min(0).describe('Grows by one with every accepted update; 0 at creation.'),
    appliedRevision: z.int().min(-1).describe('Latest revision that the worker applied; -1 before the first.'),
    values: ParamValues,
  })
  .meta({ id: 'SessionParams' });

/** Counters of a session as its worker last reported them. */
export const SessionStats = z
  .strictObject({
    framesIn: z.int().min(0),
    framesOut: z.int().min(0),
    framesDropped: z.int().min(0),
    fpsIn: z.number().min(0),
    fpsOut: z.number().min(0),
    latencyMs: z
      .strictObject({ p50: z.number(), p99: z.number() })
      .describe('From the last input byte of a frame to its last output byte, in the worker.'),
  })
  .meta({ id: 'SessionStats' });
export type SessionStats = z.infer<typeof SessionStats>;

/** A session as `GET /v1/sessions/{id}` shows it. */
export const Session = z
  .strictObject({
    id: SessionId,
    state: SessionState,
    endReason: EndReason.nullable(),
    endDetail: z.string().nullable().describe('One sentence on why the session ended.'),
    processor: z.string(),
    params: SessionParams,
    output: OutputOptions,
    urls: SessionUrls,
    worker: z.string().nullable(),
    stats: SessionStats.nullable(),
    createdAt: z.iso.datetime(),
    endedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'Session' });
export type Session = z.infer<typeof Session>;

/** Query of `GET /v1/sessions`. */
export const ListSessions = z
  .strictObject({
    state: SessionState.optional().describe('Only sessions in this state.'),
    limit: z.coerce.number().int().min(1).max(100).default(50).describe('Most sessions in the answer.'),
    cursor: z.string().max(64).optional().describe('`next` of the page before.'),
  })
  .meta({ id: 'ListSessions' });
export type ListSessions = z.infer<typeof ListSessions>;

/** Answer of `GET /v1/sessions`: newest first. */
export const SessionList = z
  .strictObject({ items: z.array(Session), next: z.string().nullable().describe('Cursor of the next page; null on the last.') })
  .meta({ id: 'SessionList' });
export type SessionList = z.infer<typeof SessionList>;

/** Answer of `PATCH /v1/sessions/{id}/params`, 202: accepted, not yet applied. */
export const ParamsAccepted = z.strictObject({ revision: z.int().min(1), values: ParamValues }).meta({ id: 'ParamsAccepted' });
export type ParamsAccepted = z.infer<typeof ParamsAccepted>;

/** A processor that at least one worker offers. */
export const Capability = z
  .strictObject({
    processor: z.string(),
    description: z.string(),
    paramsSchema: z.record(z.string(), z.unknown()).describe('JSON Schema (2020-12) of the parameters.'),
    slotsFree: z.int().min(0),
    slotsTotal: z.int().min(0),
  })
  .meta({ id: 'Capability' });
export type Capability = z.infer<typeof Capability>;

/** Answer of `GET /v1/capabilities`. */
export const CapabilityList = z.strictObject({ items: z.array(Capability) }).meta({ id: 'CapabilityList' });
export type CapabilityList = z.infer<typeof CapabilityList>;

/** RFC 9457 problem+json, with our additions. */
export const Problem = z
  .looseObject({
    type: z.string().describe('URI of the error code in the reference.'),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string().describe('Stable code: match on this.'),
    hint: z.string(),
    retryable: z.boolean(),
    instance: z.string().optional(),
    errors: z.array(z.strictObject({ path: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: 'Problem' });
export type Problem = z.infer<typeof Problem>;
