export { createPublisher, type PublisherOptions } from './client/publisher.ts';
export { createSubscriber, type SubscriberOptions } from './client/subscriber.ts';
export { HEADER, SEGMENT_GONE_STATUS, TERMINATED } from './headers.ts';
export type { ChannelCreation } from './relay/context.ts';
export { isChannelName, normalizeBase, parseRelayPath, type RelayPath } from './relay/path.ts';
export { createRelay, type Relay, type RelayOptions } from './relay/relay.ts';
