import { createMemoryBus } from '@runnel/bus';
import { createLogger, loadConfig } from '@runnel/service';
import { runTrickleEdge, type TrickleEdge, type TrickleEdgeConfig, TrickleEdgeConfigSchema } from '@runnel/trickle-edge';
import { Command, Option } from 'commander';
import { interruptible } from '../interrupt.ts';
import { wholeNumber } from '../options.ts';
import { result, say } from '../output.ts';

interface EdgeFlags {
  host?: string;
  port?: number;
  opsPort?: number;
  base?: string;
  create?: string;
  json: boolean;
}

const port = (flag: string) => wholeNumber(flag, { min: 0, max: 65_535 });

/** `runnel edge` */
export function edgeCommand(): Command {
  return new Command('edge')
    .description('Run a trickle edge alone until Ctrl-C: a relay for any trickle client.')
    .option('--host <address>', 'address to listen on; anything but loopback lets others in')
    .option('--port <n>', 'port of the relay; 0 takes a free one (default: 8945)', port('--port'))
    .option('--ops-port <n>', 'port of the metrics; 0 takes a free one (default: none)', port('--ops-port'))
    .option('--base <path>', 'path under which the channels stand (default: /trickle/)')
    .addOption(
      new Option('--create <who>', 'who makes channels: nobody, whoever asks, also whoever publishes (default: auto)').choices([
        'off',
        'explicit',
        'auto',
      ]),
    )
    .option('--json', 'print the URLs as one JSON line', false)
    .addHelpText(
      'after',
      `
The first Ctrl-C waits for the streams that run (EDGE_DRAIN_MS), a second one ends them. Logs are JSON lines on stderr (LOG_LEVEL=info shows
more). Every other setting is an environment variable: docs/reference/configuration.md. How to run one for others: docs/3-running-an-edge.md.

Examples:
  runnel edge
  EDGE_WINDOW_MS=5000 runnel edge --port 9000 --ops-port 9001
  curl -X POST http://127.0.0.1:8945/trickle/hello && runnel publish my.mp4 http://127.0.0.1:8945/trickle/hello`,
    )
    .action(async (flags: EdgeFlags) => {
      const config = loadConfig(TrickleEdgeConfigSchema, environment(flags, process.env));
      await interruptible((signal) => serve({ config, json: flags.json, signal }));
    });
}

/** Flags win over the environment, which wins over what suits a person who tries it. */
function environment(flags: EdgeFlags, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const given = {
    EDGE_HOST: flags.host,
    EDGE_PORT: flags.port?.toString(),
    EDGE_OPS_PORT: flags.opsPort?.toString(),
    EDGE_BASE_PATH: flags.base,
    EDGE_CREATE: flags.create,
  };
  const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return { EDGE_CREATE: 'auto', EDGE_DRAIN_MS: '5000', ...env, ...set };
}

async function serve({ config, json, signal }: { config: TrickleEdgeConfig; json: boolean; signal: AbortSignal }): Promise<void> {
  const logger = createLogger({ name: 'runnel', level: process.env['LOG_LEVEL'] ?? 'warn', openPaths: [config.EDGE_BASE_PATH] });
  const bus = createMemoryBus();
  const onListening = json ? (edge: TrickleEdge) => result(JSON.stringify({ url: edge.url, opsUrl: edge.opsUrl })) : tell;
  if (!json)
    signal.addEventListener('abort', () => say('\nDraining: streams that run may end. Ctrl-C again ends them now.'), { once: true });
  try {
    await runTrickleEdge({ bus, logger, config, signal, onListening });
  } finally {
    await bus.close();
  }
}

/** For a person: where it is, and what to try. */
function tell({ url, opsUrl }: TrickleEdge): void {
  const { origin } = new URL(url);
  result(`edge     ${url}`);
  result(`probes   ${origin}/livez, ${origin}/readyz`);
  if (opsUrl !== null) result(`metrics  ${opsUrl}/metrics`);
  say(`
Try it:
  curl -d 'a segment' ${url}/hello/0
  curl ${url}/hello/-2
  runnel inspect ${url}/hello
Ctrl-C stops.`);
}
