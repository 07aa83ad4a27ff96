import { RunnelError } from '@runnel/errors';
import type { SegmentGet } from '../client/segment-get.ts';
import { judge } from './judge.ts';
import { type RemoteChannel, safeMimeType } from './remote-channel.ts';

/** The first segment that a mirror will have, already answered, and the MIME type that its answer names. */
export interface FirstSegment {
  readonly get: SegmentGet;
  readonly mimeType: string;
}

/** Empty segments and gaps that may come before the first segment that names a MIME type. */
const MAX_TRIES = 20;

/**
 * Waits for the first segment with a MIME type, from a number on: an upstream that has no metadata tells the type with its segments
 * only. Null when the channel has ended meanwhile.
 * @throws RunnelError `deadline_exceeded`, `edge_unreachable`; the signal's reason.
 */
export async function firstSegment(
  remote: RemoteChannel,
  options: { start: number; timeoutMs: number; signal: AbortSignal },
): Promise<FirstSegment | null> {
  const untilMs = performance.now() + options.timeoutMs;
  let seq = options.start;
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const get = remote.get(seq);
    const outcome = await get.wait({ timeoutMs: Math.max(0, untilMs - performance.now()), signals: [options.signal] });
    if (outcome === null) {
      get.destroy();
      options.signal.throwIfAborted();
      throw new RunnelError('deadline_exceeded', { message: 'The upstream channel has had no segment that names its MIME type.' });
    }
    const verdict = judge(outcome, seq);
    switch (verdict.kind) {
      case 'segment':
        if (verdict.contentType !== null) return { get, mimeType: safeMimeType(verdict.contentType) };
        verdict.body.destroy();
        seq += 1;
        break;
      case 'gap':
        seq = verdict.latest;
        break;
      case 'ended':
        return null;
      case 'failed':
        throw new RunnelError('edge_unreachable', {
          message: 'The upstream edge did not serve the first segment.',
          cause: outcome.kind === 'failed' ? outcome.cause : undefined,
        });
    }
  }
  throw new RunnelError('edge_unreachable', { message: 'The upstream edge serves no segment that names its MIME type.' });
}
