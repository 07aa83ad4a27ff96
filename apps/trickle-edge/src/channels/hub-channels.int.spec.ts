import { createRelay } from '@runnel/trickle-http';
import { storeConformance } from './conformance.ts';
import { HubChannels } from './hub-channels.ts';

storeConformance('a hub', async () => {
  const relay = createRelay({ limits: { maxChannels: 8 } });
  const { url } = await relay.listen({ host: '127.0.0.1', port: 0 });
  return { store: new HubChannels({ hub: relay.hub, baseUrl: url }), close: () => relay.close() };
});
