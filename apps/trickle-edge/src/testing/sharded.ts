import { createLogger, loadConfig, ShutdownSequence } from '@runnel/service';
import { openAccess } from '../access.ts';
import { openCertificates } from '../certificates.ts';
import { TrickleEdgeConfigSchema } from '../config.ts';
import type { DataPlane } from '../data-plane.ts';
import { EventLoopMonitor } from '../event-loop.ts';
import { openShardedPlane } from '../shards/front.ts';

/** A front in this process and its shards, for the length of one test. */
export interface ShardedPlane {
  readonly plane: DataPlane;
  /** Base URL of the plain address, with a slash at its end. */
  readonly url: string;
  close(): Promise<void>;
}

/** Starts two shards, or what `env` says. */
export async function startSharded(env: Record<string, string> = {}): Promise<ShardedPlane> {
  const config = loadConfig(TrickleEdgeConfigSchema, { EDGE_SHARDS: '2', EDGE_PORT: '0', EDGE_CREATE: 'explicit', ...env });
  const logger = createLogger({ name: 'edge', level: 'silent' });
  const shutdown = new ShutdownSequence(logger);
  try {
    const access = await openAccess({ config, logger });
    const certificates = openCertificates({ config, logger });
    const loop = new EventLoopMonitor();
    shutdown.add('access', () => access.close());
    shutdown.add('certificates', async () => certificates?.source.close());
    shutdown.add('loop', async () => loop.close());
    const foreign = (socket: { destroy(): void }) => socket.destroy();
    const plane = await openShardedPlane({ config, logger, access, certificates, loop, foreign, shutdown, warmUpMs: 0 });
    const { url } = await plane.listen();
    return { plane, url, close: () => shutdown.close() };
  } catch (error) {
    await shutdown.close();
    throw error;
  }
}
