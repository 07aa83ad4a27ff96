export {
  type Authorization,
  type AuthorizationRequest,
  type Authorizer,
  type AuthorizerOptions,
  createAuthorizer,
  MAX_SIGNING_KEYS,
  type TokenAuthorizer,
} from './capability/authorizer.ts';
export { formatSigningKey, parseSigningKeys } from './capability/key-lines.ts';
export { type Right, RIGHTS } from './capability/right.ts';
export { createSigningKey, newSigningKey, type SigningKey } from './capability/signing-key.ts';
export { inspectToken, type MintRequest, mintToken, type TokenClaims, type TokenVerdict, verifyToken } from './capability/token.ts';
export { channelUrl, parseCapabilityUrl } from './capability/url.ts';
export type { CascadeCounters } from './cascade/counters.ts';
export type { Owner, OwnerDirectory } from './cascade/directory.ts';
export { parseUpstreams, staticDirectory, type UpstreamEntry } from './cascade/static-directory.ts';
export { type CascadeUpstream, createUpstream, type UpstreamOptions } from './cascade/upstream.ts';
export { createPublisher, type PublisherOptions } from './client/publisher.ts';
export { createSubscriber, type SubscriberOptions } from './client/subscriber.ts';
export { HEADER, SEGMENT_GONE_STATUS, TERMINATED } from './headers.ts';
export { isChannelName, normalizeBase, parseRelayPath, type RelayPath } from './relay/path.ts';
export { type ConnectionBounds, DEFAULT_BOUNDS } from './relay/bounds.ts';
export type { RelayCounters } from './relay/counters.ts';
export type { ChannelCreation, Relay, RelayOptions, Shard, Upstream } from './relay/options.ts';
export { createRelay } from './relay/relay.ts';
export type { Http2Counters } from './http2/counters.ts';
export type { TlsCounters } from './tls/acceptor.ts';
export { type FileCertificates, fileCertificates } from './tls/file-certificates.ts';
