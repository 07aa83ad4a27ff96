import {
  type Channel,
  type ChannelWriter,
  channelMetadata,
  channelTimeline,
  NEXT,
  OLDEST,
  parseSequence,
  type SegmentReader,
} from '@runnel/trickle-core';
import type { Right } from '../capability/right.ts';
import { flat } from '../flat.ts';
import { HEADER } from '../headers.ts';
import type { RelayContext } from './context.ts';
import { isChannelName, parseRelayPath, type RelayPath } from './path.ts';
import { goneAnswer } from './pump.ts';
import type { RelayRequest } from './request.ts';
import { errorAnswer, NOT_FOUND, NOT_FOUND_CLOSE, type ShortAnswer } from './short-answer.ts';

/** What is to be done with a request. Whoever gets a reader or a writer has to end it. */
export type Dispatch =
  | { readonly kind: 'answer'; readonly answer: ShortAnswer }
  /** Decided later: by the end of a channel, or by an upstream. Never rejects. */
  | { readonly kind: 'later'; readonly outcome: Promise<Dispatch> }
  | { readonly kind: 'publish'; readonly channel: Channel; readonly writer: ChannelWriter }
  | { readonly kind: 'subscribe'; readonly channel: Channel; readonly reader: SegmentReader }
  /** Not under the base: for who else answers on this port. */
  | { readonly kind: 'foreign' }
  /** Of a channel of another shard. */
  | { readonly kind: 'elsewhere'; readonly channel: string };

type Method = 'GET' | 'POST' | 'DELETE';

const BAD_SEQUENCE: ShortAnswer = { status: 400, body: 'Invalid sequence number' };

/** Decides on a request (Trickle spec, Paths), and counts it where it is served. */
export function dispatch(relay: RelayContext, request: RelayRequest): Dispatch {
  const outcome = decide(relay, request);
  if (outcome.kind !== 'foreign' && outcome.kind !== 'elsewhere') relay.counters.requests += 1;
  return outcome;
}

function decide(relay: RelayContext, request: RelayRequest): Dispatch {
  const path = parseRelayPath(request.target, relay.base, { tokens: relay.authorizer !== null });
  if (path === 'outside' && relay.foreign) return { kind: 'foreign' };
  if (path === null || path === 'outside') return say({ status: 404, body: 'Not found', close: true });
  const { method } = request;
  const allowed = methodsOf(path.tail);
  if (!(allowed as readonly string[]).includes(method)) {
    return say({ status: 405, body: 'Method not allowed', headers: { Allow: allowed.join(', ') }, close: true });
  }
  const refusal = relay.authorizer === null ? null : authorize(relay, path, method as Method);
  if (refusal !== null) return refusal;
  const channel = relay.hub.get(path.channel);
  if (channel === undefined) return unknownChannel(relay, request, path);
  return onChannel(relay, request, path, channel);
}

function onChannel(relay: RelayContext, request: RelayRequest, path: RelayPath, channel: Channel): Dispatch {
  const { method } = request;
  // The mirror of a channel elsewhere is only read here; to those who would write it is not there.
  if (channel.readOnly && method !== 'GET') return notHere(relay, path, method);
  switch (path.tail) {
    case '':
      if (method === 'GET') return json(channelMetadata(channel));
      return method === 'POST' ? created(relay, path) : endChannel(relay, channel);
    case 'next':
      return say({ status: 200, body: String(channel.nextWrite), headers: { [HEADER.latest]: channel.nextWrite } });
    case 'timeline':
      return json(channelTimeline(channel));
  }
  if (method === 'GET') return subscribe(relay, path, channel);
  if (method === 'POST') return publish(relay, request, path, channel);
  const seq = parseSequence(path.tail);
  if (seq === null || seq < 0) return say(BAD_SEQUENCE);
  return say(channel.closeSegment(seq) ? { status: 200, body: '' } : { status: 400, body: 'Nonexistent segment' });
}

/** The channel is there. A shard says where to find it without a detour, in open mode: a token stands in no answer. */
function created(relay: RelayContext, { channel, token }: RelayPath): Dispatch {
  const url = relay.shard === null || token !== '' ? null : relay.shard.url;
  return say({ status: 200, body: '', ...(url === null ? {} : { headers: { Location: url + channel } }) });
}

/** A channel that is not here: made, fetched from where it is, or not found. */
function unknownChannel(relay: RelayContext, request: RelayRequest, path: RelayPath): Dispatch {
  const { method } = request;
  const name = path.channel;
  if (!isChannelName(name)) return say({ status: 404, body: 'Not found', close: true });
  if (relay.shard !== null && !relay.shard.owns(name)) return { kind: 'elsewhere', channel: name };
  const created = method === 'POST' && (relay.creation === 'auto' || (relay.creation === 'explicit' && path.tail === ''));
  if (created) return createChannel(relay, request, path);
  if (method === 'GET' && relay.upstream !== null) return { kind: 'later', outcome: fromUpstream(relay, request, path) };
  return notHere(relay, path, method);
}

function notHere(relay: RelayContext, path: RelayPath, method: string): Dispatch {
  relay.counters.notFound += 1;
  if (method === 'DELETE' && path.tail === '') return say({ status: 400, body: 'Invalid stream' });
  return say(method === 'POST' && path.tail !== '' ? NOT_FOUND_CLOSE : NOT_FOUND);
}

function createChannel(relay: RelayContext, request: RelayRequest, path: RelayPath): Dispatch {
  const asked = path.tail === '' ? request.expectContent : request.contentType;
  if (path.tail !== '' && publishTarget(path) === null) return say({ ...BAD_SEQUENCE, close: true });
  try {
    // Copies: a part of a string would keep the whole request in memory for as long as the channel lives.
    const mimeType = flat(asked === null || asked === '' ? relay.defaultMimeType : asked);
    // Whatever its name: a channel that never idles is the relay's own, not one of whoever asks.
    const { idleMs } = relay.hub.limits;
    const channel = relay.hub.create({ name: flat(path.channel), mimeType, idleMs });
    return onChannel(relay, request, path, channel);
  } catch (error) {
    return say(errorAnswer(error, relay.counters, { close: path.tail !== '' }));
  }
}

async function fromUpstream(relay: RelayContext, request: RelayRequest, path: RelayPath): Promise<Dispatch> {
  try {
    const target = isWord(path.tail) ? startOf(request.target, path.tail) : parseSequence(path.tail);
    if (target === null) return say(BAD_SEQUENCE);
    const channel = await relay.upstream!.open({ channel: path.channel, target, via: request.via });
    if (channel !== null) return onChannel(relay, request, path, channel);
    relay.counters.notFound += 1;
    return say(NOT_FOUND);
  } catch (error) {
    return say(errorAnswer(error, relay.counters, { close: false }));
  }
}

const START = /[?&]start=(-?\d{1,16})(?:&|$)/;

/** Where the mirror begins for who asks about a channel: the edge that asks says which segment it is going to read (Trickle spec, Cascade). */
function startOf(target: string, tail: string): number | null {
  const asked = START.exec(target);
  if (asked !== null) return parseSequence(asked[1]);
  // Who wants to know the next write is told the true one; others may go on to read any segment of the window.
  return tail === 'next' ? NEXT : OLDEST;
}

/** `POST {base}{channel}/{seq}` (Trickle spec, Publish). */
function publish(relay: RelayContext, request: RelayRequest, path: RelayPath, channel: Channel): Dispatch {
  const seq = publishTarget(path);
  if (seq === null) return say({ ...BAD_SEQUENCE, close: true });
  try {
    return { kind: 'publish', channel, writer: channel.write(seq, request.reset ? RESET : NO_RESET) };
  } catch (error) {
    return say(errorAnswer(error, relay.counters, { close: true }));
  }
}

const RESET = { reset: true };
const NO_RESET = { reset: false };

/** `GET {base}{channel}/{seq}` (Trickle spec, Subscribe). */
function subscribe(relay: RelayContext, path: RelayPath, channel: Channel): Dispatch {
  const target = parseSequence(path.tail);
  if (target === null) return say(BAD_SEQUENCE);
  try {
    const found = channel.read(target);
    if (found.kind === 'reader') return { kind: 'subscribe', channel, reader: found.reader };
    if (found.kind === 'ended') return say(NOT_FOUND);
    return say(goneAnswer(found.latest, found.seq));
  } catch (error) {
    return say(errorAnswer(error, relay.counters, { close: false }));
  }
}

/** `DELETE {base}{channel}`: answered when the channel has ended (Trickle spec, End). */
function endChannel(relay: RelayContext, channel: Channel): Dispatch {
  const { promise, resolve } = Promise.withResolvers<Dispatch>();
  // A drain ends by time alone, so this settles.
  channel.onEnd(() => resolve(say({ status: 200, body: '' })));
  channel.end({ drainMs: relay.endDrainMs });
  return channel.ended ? say({ status: 200, body: '' }) : { kind: 'later', outcome: promise };
}

function authorize(relay: RelayContext, path: RelayPath, method: Method): Dispatch | null {
  const right = rightOf(path.tail, method);
  const verdict = relay.authorizer!.check({ token: path.token, channel: path.channel, right, nowMs: relay.hub.clock() });
  if (verdict === 'granted') return null;
  // The channel is not looked up before: the answer has no hint whether it exists.
  const close = method === 'POST';
  if (verdict === 'unknown') {
    relay.counters.unauthorized += 1;
    return say({ status: 401, body: 'This URL is not valid, or no longer.', close });
  }
  relay.counters.forbidden += 1;
  return say({ status: 403, body: 'This URL does not allow that.', close });
}

/** Trickle spec, Capability URLs. */
function rightOf(tail: string, method: Method): Right | 'any' {
  if (tail === 'next') return 'any';
  if (tail === 'timeline') return 'manage';
  if (tail === '') return method === 'GET' ? 'any' : 'manage';
  return method === 'GET' ? 'subscribe' : 'publish';
}

function methodsOf(tail: string): readonly Method[] {
  return tail === '' || !isWord(tail) ? ALL_METHODS : GET_ONLY;
}

/** Whether what follows the channel is something else than a sequence number. */
function isWord(tail: string): boolean {
  return tail === '' || tail === 'next' || tail === 'timeline';
}

const GET_ONLY = ['GET'] as const;
const ALL_METHODS = ['GET', 'POST', 'DELETE'] as const;

/** Number of the segment to be written; null when a publisher may not name it. */
function publishTarget(path: RelayPath): number | null {
  const seq = parseSequence(path.tail);
  return seq === null || seq < NEXT ? null : seq;
}

function say(answer: ShortAnswer): Dispatch {
  return { kind: 'answer', answer };
}

function json(value: unknown): Dispatch {
  const headers = { 'Cache-Control': 'no-store' };
  return say({ status: 200, body: JSON.stringify(value), contentType: 'application/json', headers });
}
