import { z } from 'zod';
import { Capability, CreateSession, EndReason, OutputOptions, ParamValues, SessionId } from './session.ts';

/**
 * URLs of one session's channels at its edge, for the worker: it may publish and end what it makes, and read the rest. Secrets: whoever knows one may use it.
 */
export const ChannelUrls = z.strictObject({
  videoIn: z.url(),
  videoOut: z.url(),
  control: z.url(),
  events: z.url(),
  data: z.url(),
});
export type ChannelUrls = z.infer<typeof ChannelUrls>;

/** The same channels for the client: it may publish and end the source, and read the rest. Control is the broker's alone. */
export const ClientUrls = ChannelUrls.omit({ control: true });
export type ClientUrls = z.infer<typeof ClientUrls>;

/** What an edge hands out for a session: to each side the URLs that allow what that side does. In open mode both name the same channels in the same way. */
export const EdgeUrls = z.strictObject({ client: ClientUrls, worker: ChannelUrls });
export type EdgeUrls = z.infer<typeof EdgeUrls>;

/** A capability without what only its worker's slots can tell. */
export const OfferedProcessor = Capability.pick({ processor: true, description: true, paramsSchema: true });
export type OfferedProcessor = z.infer<typeof OfferedProcessor>;

/** A worker tells what it offers; repeated every few seconds, forgotten when it stays out. */
export const WorkerAnnounce = z.strictObject({
  workerId: z.string(),
  slotsTotal: z.int().min(0),
  slotsFree: z.int().min(0),
  processors: z.array(OfferedProcessor),
});
export type WorkerAnnounce = z.infer<typeof WorkerAnnounce>;

/** Broker to worker: start a session. The answer comes when its child process is ready to read. */
export const StartSession = z.strictObject({
  sessionId: SessionId,
  processor: z.string(),
  params: ParamValues,
  output: OutputOptions,
  trace: CreateSession.shape.trace.unwrap(),
  urls: ChannelUrls,
});
export type StartSession = z.infer<typeof StartSession>;

/** Every subject of the bus with its message. `{x}` stands for one token. */
export const BUS = {
  /** Event: a worker is there. */
  workerAnnounce: { subject: 'worker.announce', message: WorkerAnnounce },
  /** Event: the broker asks every worker to announce itself now. */
  workerDiscover: { subject: 'worker.discover', message: z.strictObject({}) },
  /** Request to one worker. */
  workerStart: { subject: 'worker.{workerId}.start', message: StartSession, reply: z.strictObject({ accepted: z.literal(true) }) },
  /** Request to one worker: end a session; answered when its child is gone. */
  workerStop: {
    subject: 'worker.{workerId}.stop',
    message: z.strictObject({ sessionId: SessionId, reason: EndReason }),
    reply: z.strictObject({ stopped: z.boolean() }),
  },
  /** Event: a worker's session is over, whatever its events channel could still say. */
  workerSessionEnded: {
    subject: 'worker.{workerId}.ended',
    message: z.strictObject({ sessionId: SessionId, reason: EndReason, detail: z.string() }),
  },
  /** Request to the edge: make the channels of a session, or tell their URLs again. */
  edgeCreate: { subject: 'edge.create', message: z.strictObject({ sessionId: SessionId }), reply: z.strictObject({ urls: EdgeUrls }) },
  /** Request to the edge: write one JSON document as one segment of a session's control channel. */
  edgeControl: {
    subject: 'edge.control',
    message: z.strictObject({ sessionId: SessionId, body: z.record(z.string(), z.json()) }),
    reply: z.strictObject({ seq: z.int() }),
  },
  /** Request to the edge: end all channels of a session. */
  edgeClose: { subject: 'edge.close', message: z.strictObject({ sessionId: SessionId }), reply: z.strictObject({ closed: z.int() }) },
} as const;
