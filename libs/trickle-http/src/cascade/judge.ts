import { headerSeq, isTerminated, servedSeq } from '../client/answer-headers.ts';
import type { SegmentBody } from '../client/segment-body.ts';
import type { GetOutcome } from '../client/segment-get.ts';
import { HEADER, SEGMENT_GONE_STATUS } from '../headers.ts';

/** What the answer to the GET of a segment means to a mirror. */
export type Verdict =
  /** `contentType` is null where the answer names none, as that of an empty segment may. */
  | { readonly kind: 'segment'; readonly body: SegmentBody; readonly contentType: string | null }
  /** Reading goes on at `latest`, which is beyond what was asked for. */
  | { readonly kind: 'gap'; readonly latest: number }
  | { readonly kind: 'ended' }
  /** Nothing that helps: whoever asked has to find out where the channel stands. */
  | { readonly kind: 'failed' };

/** Judges the answer to the GET of a number. The body is the caller's only of a `segment`. */
export function judge(outcome: GetOutcome, seq: number): Verdict {
  if (outcome.kind === 'failed') return { kind: 'failed' };
  const { response, body } = outcome;
  if (servedSeq(response) === seq) return { kind: 'segment', body, contentType: response.headers['content-type'] ?? null };
  body.destroy();
  const status = response.statusCode ?? 0;
  if (status === 404 || (status === 200 && isTerminated(response))) return { kind: 'ended' };
  const latest = status === SEGMENT_GONE_STATUS ? headerSeq(response, HEADER.latest) : null;
  return latest !== null && latest > seq ? { kind: 'gap', latest } : { kind: 'failed' };
}
