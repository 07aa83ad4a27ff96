#!/usr/bin/env node
/**
 * Process of the edge: settings from the environment, JSON log lines on standard error, one of them with `url` and `opsUrl` once it
 * listens. SIGTERM or SIGINT drains it, a second one ends it at once; SIGHUP reads keys and certificates again. Exit codes: 0 after a drain, 2 for what the operator can
 * correct (wrong settings, a taken port), 1 for the rest and for a drain that was cut short.
 */
import { createMemoryBus } from '@runnel/bus';
import { createLogger, loadConfig, type Logger } from '@runnel/service';
import { toRunnelError } from '@runnel/errors';
import { TrickleEdgeConfigSchema } from './config.ts';
import { runTrickleEdge } from './run.ts';
import type { TrickleEdge } from './start.ts';

process.exitCode = await main();

async function main(): Promise<number> {
  const stop = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => (stop.signal.aborted ? process.exit(1) : stop.abort()));
  let logger: Logger | undefined;
  try {
    const config = loadConfig(TrickleEdgeConfigSchema, process.env);
    const level = process.env['LOG_LEVEL'] ?? 'info';
    logger = createLogger({ name: 'trickle-edge', level, openPaths: [config.EDGE_BASE_PATH] });
    const bus = createMemoryBus();
    const onListening = (edge: TrickleEdge) => process.on('SIGHUP', () => void edge.reload());
    await runTrickleEdge({ bus, logger, config, signal: stop.signal, onListening });
    await bus.close();
    return 0;
  } catch (thrown) {
    const error = toRunnelError(thrown);
    const lines =
      error.fields.length > 0 ? error.fields.map(({ path, message }) => `${path}: ${message}`) : [`${error.message} ${error.hint}`];
    for (const line of lines) process.stderr.write(`error: ${line} [${error.code}]\n`);
    if (error.exitCode === 1) logger?.error({ err: thrown }, 'ended by an error');
    return error.exitCode;
  }
}
