import { startIngest, type IngestEnd, type Recorder, type RecorderSummary } from '@runnel/media';
import { RunnelError } from '@runnel/errors';
import type { FrameTrace, ParamValues, Session, SessionEvent } from '@runnel/schemas';
import type { ApiClient } from '../api/client.ts';
import { playChannel } from '../stream/play.ts';
import { publishIngest } from '../stream/publish.ts';
import { within } from '@runnel/service';
import type { SourceStamp, ViewerStamp } from './latency.ts';

/** How long the last frames may take from the end of the source to the end of the output, ms. */
const DRAIN_DEADLINE_MS = 10_000;
/** How long a session may take to tell why its channels broke, ms. */
const REASON_DEADLINE_MS = 2_000;
/** Two frames a segment: the bytes of a frame travel as they come, so that a segment adds no delay. */
const STREAM = { segmentFrames: 2, gopFrames: 60, bitrateKbps: 2000 } as const;

/** One pass of a file through a session. */
export interface SessionRunOptions {
  api: ApiClient;
  recorder: Recorder;
  input: string;
  /** At most this much of the source, s; null for all. */
  seconds: number | null;
  processor: string;
  params: ParamValues;
  /** Sent when source frame `atFrame` has left; null for none. */
  paramsMidway: { values: ParamValues; atFrame: number } | null;
  signal: AbortSignal;
  /** Called with the number of frames that the viewer has seen. */
  onFrames: (seen: number) => void;
  onEvent: (event: SessionEvent) => void;
  onGap: (gap: { from: number; to: number; reason: string }) => void;
}

/** What one session left behind. */
export interface SessionRun {
  source: SourceStamp[];
  viewer: ViewerStamp[];
  traces: FrameTrace[];
  /** What the source said at its end; null when it was stopped before. */
  ingest: IngestEnd | null;
  recorded: RecorderSummary;
  /** From the first published frame to the last recorded one. */
  wallMs: number;
}

/**
 * Publishes a file to a new session, records what comes out, and follows the session's events until it has ended.
 * Nothing of it is left running afterwards.
 * @throws RunnelError: of the API (`unknown_processor`, `invalid_params`), of the input, or why the session ended early.
 */
export async function runSession(options: SessionRunOptions): Promise<SessionRun> {
  const { api, recorder } = options;
  const session = await api.createSession({ processor: options.processor, params: options.params, output: STREAM, trace: true });
  const run = { source: [] as SourceStamp[], viewer: [] as ViewerStamp[], traces: [] as FrameTrace[] };
  const abort = new AbortController();
  const events = followEvents(session, run.traces, abort.signal, options);
  const frames = collectFrames(recorder.frames, run.viewer, options.onFrames);
  const playing = playChannel(session.urls.play, {
    start: 0,
    signal: abort.signal,
    onBytes: (bytes) => recorder.push(bytes),
    onGap: options.onGap,
  });
  const background = [events, frames, playing];
  // Awaited below; a failure that comes while something else is awaited is not an unhandled one.
  for (const promise of background) promise.catch(() => undefined);
  let midway: Promise<unknown> = Promise.resolve();
  try {
    const started = performance.now();
    const ingest = await startIngest({
      input: options.input,
      pace: 'real-time',
      ...STREAM,
      ...(options.seconds === null ? {} : { seconds: options.seconds }),
    });
    const end = await publishIngest(ingest, session.urls.publish, options.signal, {
      onFrame: (stamp) => {
        run.source.push(stamp);
        if (options.paramsMidway?.atFrame !== run.source.length) return;
        midway = api.updateParams(session.id, options.paramsMidway.values);
        // Awaited once the source has ended, like those above.
        midway.catch(() => undefined);
      },
    });
    await within(playing, DRAIN_DEADLINE_MS, 'The last frames did not arrive in time.');
    const wallMs = performance.now() - started;
    await midway;
    const recorded = await recorder.finish();
    await frames;
    const failure = await within(events, DRAIN_DEADLINE_MS, 'The session did not end in time.');
    if (failure !== null) throw failure;
    return { ...run, ingest: end, recorded, wallMs };
  } catch (error) {
    // The session knows better than a broken connection why it ended.
    throw (await within(events, REASON_DEADLINE_MS, '').catch(() => null)) ?? error;
  } finally {
    abort.abort();
    await Promise.allSettled([midway, playing, api.deleteSession(session.id)]);
    await Promise.allSettled([events]);
  }
}

/** Follows the session to its end. Resolves to the error that it ended with, or null when it ended as it should. */
async function followEvents(
  session: Session,
  traces: FrameTrace[],
  signal: AbortSignal,
  options: SessionRunOptions,
): Promise<RunnelError | null> {
  let failure: RunnelError | null = null;
  for await (const event of options.api.events(session.id, signal)) {
    if (event.type === 'frames') traces.push(...event.frames);
    else options.onEvent(event);
    if (event.type !== 'session_state' || event.state !== 'ended' || event.reason === 'input_ended' || event.reason === 'stopped') continue;
    failure = new RunnelError(event.reason === 'broken_input' ? 'broken_media' : 'processor_failed', {
      message: `The session ended early (${event.reason}): ${event.detail ?? 'no reason given'}`,
    });
  }
  return failure;
}

async function collectFrames(frames: AsyncIterable<ViewerStamp>, into: ViewerStamp[], onFrames: (seen: number) => void): Promise<void> {
  for await (const stamp of frames) {
    into.push(stamp);
    onFrames(into.length);
  }
}
