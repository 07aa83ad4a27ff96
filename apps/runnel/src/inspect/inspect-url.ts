import { RunnelError } from '@runnel/errors';
import { parseTimeline, type Timeline } from './timeline.ts';

/** Deadline of each request that inspecting a URL makes, ms. */
const DEADLINE_MS = 5000;
/** Longest answer that is read: a timeline is some 20 KB, a list of sessions may be longer. */
const MAX_ANSWER_CHARS = 4_000_000;

/** What was found at a URL. */
export interface Inspection {
  /** What the server says of it: a channel's metadata, a session. */
  facts: Record<string, unknown>;
  /** The recent past of a channel; null when the server tells none. */
  timeline: Timeline | null;
  /** Why something is missing, for a person; empty when nothing is. */
  notes: string[];
}

interface Answer {
  status: number;
  text: string;
  latest: string | null;
}

/**
 * Asks an HTTP server what stands at a URL: a session of the broker, or a channel of any trickle server, as far as that one tells.
 * @throws RunnelError `channel_not_found`, `access_denied`, `edge_unreachable`, `invalid_usage`; the signal's reason.
 */
export async function inspectUrl(url: string, signal: AbortSignal): Promise<Inspection> {
  const { host } = new URL(url);
  const answer = await get(url, signal);
  if (answer.status === 200) {
    const facts = parseObject(answer.text);
    if (facts === null) throw new RunnelError('invalid_usage', { message: 'That URL is neither a channel nor a session.' });
    return typeof facts['channel'] === 'string' ? { facts, ...(await timelineOf(url, signal)) } : { facts, timeline: null, notes: [] };
  }
  if (answer.status === 401 || answer.status === 403) {
    throw new RunnelError('access_denied', { message: `${host} refuses this URL (${answer.status}).` });
  }
  return plainChannel(url, answer.status, signal);
}

/** A server that only knows the paths of the plain protocol still tells the next write. */
async function plainChannel(url: string, status: number, signal: AbortSignal): Promise<Inspection> {
  const { host } = new URL(url);
  const next = await get(`${url}/next`, signal);
  const seq = Number(next.latest ?? next.text.trim());
  if (next.status !== 200 || !Number.isSafeInteger(seq)) {
    if (status !== 404) throw new RunnelError('edge_unreachable', { message: `${host} answered ${status}.` });
    throw new RunnelError('channel_not_found', { message: `${host} has nothing at that path.` });
  }
  const notes = ['This trickle server tells no metadata and no timeline: only the number of the next segment is known.'];
  return { facts: { channel: decodeURIComponent(url.split('/').at(-1)!), seq }, timeline: null, notes };
}

async function timelineOf(url: string, signal: AbortSignal): Promise<Pick<Inspection, 'timeline' | 'notes'>> {
  const { status, text } = await get(`${url}/timeline`, signal);
  const timeline = status === 200 ? parseTimeline(text) : null;
  if (timeline !== null) return { timeline, notes: [] };
  if (status === 401 || status === 403) return { timeline, notes: ['The timeline wants a URL with the right to manage the channel.'] };
  return { timeline, notes: [`This trickle server tells no timeline (${status}).`] };
}

async function get(url: string, signal: AbortSignal): Promise<Answer> {
  const { host } = new URL(url);
  try {
    const until = AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)]);
    const response = await fetch(url, { signal: until, headers: { accept: 'application/json' } });
    return { status: response.status, text: await readText(response), latest: response.headers.get('lp-trickle-latest') };
  } catch (cause) {
    signal.throwIfAborted();
    throw new RunnelError('edge_unreachable', { message: `No answer from ${host}.`, cause });
  }
}

/** The text of an answer; the rest of one that is too long is not fetched. */
async function readText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const bytes of response.body ?? []) {
    text += decoder.decode(bytes, { stream: true });
    if (text.length > MAX_ANSWER_CHARS) break;
  }
  return text;
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
