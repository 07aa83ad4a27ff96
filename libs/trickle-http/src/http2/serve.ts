import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { HEADER } from '../headers.ts';
import type { RelayContext } from '../relay/context.ts';
import { type Dispatch, dispatch } from '../relay/dispatch.ts';
import type { RelayRequest } from '../relay/request.ts';
import { Answered, answer } from './answer.ts';
import type { Exchange } from './exchange.ts';
import { PublishStream } from './publish-stream.ts';
import { SubscribeStream } from './subscribe-stream.ts';

/** A request whose decision comes later, or from elsewhere, and has deadlines there. */
const UNDECIDED: Exchange = { tick: () => {}, gone: () => {} };

/** Serves one request. `onExchange` is told what it has become, at once and again when a decision comes later. */
export function serve(
  relay: RelayContext,
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  onExchange: (exchange: Exchange) => void,
): void {
  const follow = (outcome: Dispatch): void => {
    switch (outcome.kind) {
      case 'answer':
        answer(stream, outcome.answer);
        return onExchange(new Answered(relay, stream));
      case 'publish':
        if (!stream.closed) return onExchange(new PublishStream(relay, stream, outcome));
        return outcome.writer.abort();
      case 'subscribe':
        if (!stream.closed) return onExchange(new SubscribeStream(relay, stream, outcome));
        return outcome.reader.close();
      case 'later':
        onExchange(UNDECIDED);
        outcome.outcome.then(follow, () => stream.close(constants.NGHTTP2_INTERNAL_ERROR));
        return;
      case 'elsewhere':
        relay.shard!.elsewhereStream(outcome.channel, stream, headers);
        return onExchange(UNDECIDED);
      case 'foreign':
        // A stream cannot be handed to whoever else answers here, as a connection can. Clients that know the code come back by HTTP/1.1.
        return stream.close(constants.NGHTTP2_HTTP_1_1_REQUIRED);
    }
  };
  follow(dispatch(relay, relayRequest(headers)));
}

function relayRequest(headers: IncomingHttpHeaders): RelayRequest {
  return {
    method: headers[':method'] ?? '',
    target: headers[':path'] ?? '',
    contentType: headers['content-type'] ?? null,
    expectContent: single(headers[EXPECT_CONTENT]),
    reset: Boolean(headers[RESET]),
    via: single(headers[VIA]),
  };
}

const EXPECT_CONTENT = HEADER.expectContent.toLowerCase();
const RESET = HEADER.reset.toLowerCase();
const VIA = HEADER.via.toLowerCase();

function single(value: string | string[] | undefined): string | null {
  if (value === undefined) return null;
  return typeof value === 'string' ? value : value.join(', ');
}
