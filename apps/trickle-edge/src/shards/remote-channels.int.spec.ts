import { storeConformance } from '../channels/conformance.ts';
import { startSharded } from '../testing/sharded.ts';

storeConformance('shards', async () => {
  const { plane, url, close } = await startSharded({ EDGE_MAX_CHANNELS: '8' });
  return { store: plane.channels(url), close };
});
