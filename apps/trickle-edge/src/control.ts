import type { HealthChecks, HttpApp, Logger, UnboundHttpApp } from '@runnel/service';
import { startHttpApp, startUnboundHttpApp } from '@runnel/service';
import type { Registry } from 'prom-client';
import type { TrickleEdgeConfig } from './config.ts';
import { OpsModule } from './ops.module.ts';

/** What the control side of an edge is made of. */
export interface ControlOptions {
  readonly config: TrickleEdgeConfig;
  readonly logger: Logger;
  readonly health: HealthChecks;
  readonly metrics: Registry;
}

/**
 * Starts what answers beside the channels: probes on connections that the relay hands over, and with EDGE_OPS_PORT on a port of its own,
 * there with metrics.
 * @throws RunnelError `port_in_use`, `invalid_config`.
 */
export async function startControl({ config, logger, health, metrics }: ControlOptions): Promise<HttpApp | UnboundHttpApp> {
  const options = { name: 'trickle-edge', module: OpsModule, logger: quieter(logger), health, metrics };
  const { EDGE_OPS_PORT: port, EDGE_OPS_HOST: host = config.EDGE_HOST } = config;
  return port === undefined ? startUnboundHttpApp(options) : startHttpApp({ ...options, host, port });
}

/** Whoever reaches the port can ask for what is not there: that is not worth a line each. */
function quieter(logger: Logger): Logger {
  return logger.isLevelEnabled('debug') ? logger : logger.child({}, { level: logger.isLevelEnabled('warn') ? 'warn' : logger.level });
}
