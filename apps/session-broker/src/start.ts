import type { Bus } from '@runnel/bus';
import { HealthChecks, startHttpApp, type Logger, type RunningService } from '@runnel/service';
import { createSubscriber } from '@runnel/trickle-http';
import type { SessionBrokerConfig } from './config.ts';
import { systemClock } from './domain/clock.ts';
import { SessionManager } from './domain/session-manager.ts';
import { sessionBrokerModule } from './http/module.ts';
import { newSessionId } from './new-id.ts';

/** Time beyond the stop deadline that a shutdown leaves for the rest, in milliseconds. */
const DRAIN_MARGIN_MS = 5000;

/** What the broker needs from whoever starts it. */
export interface SessionBrokerOptions {
  readonly bus: Bus;
  readonly logger: Logger;
  readonly config: SessionBrokerConfig;
}

/**
 * Starts the session broker and its HTTP API. Closing it ends all its sessions first.
 * @throws RunnelError `port_in_use`.
 */
export async function startSessionBroker({ bus, logger, config }: SessionBrokerOptions): Promise<RunningService & { url: string }> {
  const own = logger.child({ app: 'session-broker' });
  const sessions = new SessionManager({
    bus,
    logger: own,
    clock: systemClock,
    config,
    openEvents: (url) => createSubscriber({ url, start: 0 }),
    newId: newSessionId,
  });
  const health = new HealthChecks();
  health.add('workers', () => (sessions.hasWorkers() ? null : 'no worker has announced itself'));
  try {
    await sessions.start();
    return await startHttpApp({
      name: 'session-broker',
      module: sessionBrokerModule(sessions),
      host: config.BROKER_HOST,
      port: config.BROKER_PORT,
      logger: own,
      health,
      onDrain: () => sessions.close(),
      drainDeadlineMs: config.BROKER_STOP_DEADLINE_MS + DRAIN_MARGIN_MS,
    });
  } catch (error) {
    await sessions.close();
    throw error;
  }
}
