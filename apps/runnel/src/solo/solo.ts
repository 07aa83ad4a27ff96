import { createMemoryBus } from '@runnel/bus';
import { GpuWorkerConfigSchema, startGpuWorker } from '@runnel/gpu-worker';
import { loadConfig, type Logger, type RunningService } from '@runnel/service';
import { SessionBrokerConfigSchema, startSessionBroker } from '@runnel/session-broker';
import { startTrickleEdge, TrickleEdgeConfigSchema } from '@runnel/trickle-edge';

/** Where solo mode listens. Port 0 takes any free port. */
export interface SoloOptions {
  host: string;
  apiPort: number;
  edgePort: number;
  logger: Logger;
}

/** Solo mode while it runs. */
export interface Solo {
  /** Base URL of the HTTP API. */
  readonly apiUrl: string;
  /** Base URL of the trickle edge. */
  readonly edgeUrl: string;
  /** Ends sessions, children and servers, in reverse order of their start. Idempotent. */
  close(): Promise<void>;
}

/**
 * Every service in one process on an in-process bus: the same modules that run apart on NATS. What the environment configures
 * (WORKER_SLOTS and the like) holds here too; listening addresses come from the options.
 * @throws RunnelError `port_in_use`, `invalid_config`.
 */
export async function startSolo(options: SoloOptions): Promise<Solo> {
  const { host, logger } = options;
  const bus = createMemoryBus();
  const started: RunningService[] = [];
  const close = async () => {
    while (started.length > 0) await started.pop()!.close();
    await bus.close();
  };
  const env = (own: Record<string, string>) => ({ ...process.env, ...own });
  try {
    const edge = await startTrickleEdge({
      bus,
      logger,
      config: loadConfig(TrickleEdgeConfigSchema, env({ EDGE_HOST: host, EDGE_PORT: String(options.edgePort) })),
    });
    started.push(edge);
    const worker = await startGpuWorker({ bus, logger, config: loadConfig(GpuWorkerConfigSchema, env({})) });
    started.push(worker);
    const broker = await startSessionBroker({
      bus,
      logger,
      config: loadConfig(SessionBrokerConfigSchema, env({ BROKER_HOST: host, BROKER_PORT: String(options.apiPort) })),
    });
    started.push(broker);
    return { apiUrl: broker.url, edgeUrl: edge.url, close };
  } catch (error) {
    await close();
    throw error;
  }
}
