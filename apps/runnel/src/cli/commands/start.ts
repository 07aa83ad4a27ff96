import { createLogger } from '@runnel/service';
import { Command } from 'commander';
import { startSolo } from '../../solo/solo.ts';
import { interruptible } from '../interrupt.ts';
import { wholeNumber } from '../options.ts';
import { result, say } from '../output.ts';

interface StartFlags {
  host: string;
  port: number;
  edgePort: number;
  json: boolean;
}

const port = (flag: string) => wholeNumber(flag, { min: 0, max: 65_535 });

/** `runnel start` */
export function startCommand(): Command {
  return new Command('start')
    .description('Run every service in this process until Ctrl-C: HTTP API, trickle edge, worker.')
    .option(
      '--host <address>',
      'address to listen on; anything but loopback lets others use the API without a password, and wants keys for the channels: runnel token --help',
      '127.0.0.1',
    )
    .option('--port <n>', 'port of the HTTP API; 0 takes a free one', port('--port'), 8080)
    .option('--edge-port <n>', 'port of the trickle edge; 0 takes a free one', port('--edge-port'), 8081)
    .option('--json', 'print the URLs as one JSON line', false)
    .addHelpText(
      'after',
      `
Logs are JSON lines on stderr (LOG_LEVEL=debug shows more). Settings: docs/reference/configuration.md.

A session from the shell:
  curl -s localhost:8080/v1/sessions -H 'content-type: application/json' -d '{"processor":"tint","params":{"color":"#18b7a0"}}'
  runnel publish my.mp4 PUBLISH_URL & runnel play PLAY_URL | ffplay -
  curl -s -X PATCH localhost:8080/v1/sessions/ID/params -H 'content-type: application/json' -d '{"color":"#e0559b"}'
  curl -s -X DELETE localhost:8080/v1/sessions/ID`,
    )
    .action(async (flags: StartFlags) => {
      await interruptible((signal) => serve(flags, signal));
    });
}

async function serve(flags: StartFlags, signal: AbortSignal): Promise<void> {
  const logger = createLogger({ name: 'runnel', level: process.env['LOG_LEVEL'] ?? 'warn' });
  const solo = await startSolo({ host: flags.host, apiPort: flags.port, edgePort: flags.edgePort, logger });
  try {
    if (flags.json) result(JSON.stringify({ apiUrl: solo.apiUrl, edgeUrl: solo.edgeUrl }));
    else {
      result(`API      ${solo.apiUrl}   (document: ${solo.apiUrl}/v1/openapi.json)`);
      result(`edge     ${solo.edgeUrl}`);
      say(
        `\nStart a session:\n  curl -s ${solo.apiUrl}/v1/sessions -H 'content-type: application/json' -d '{"processor":"overlay","params":{"text":"hello"}}'`,
      );
      say('Ctrl-C stops.');
    }
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
    if (!flags.json) say('\nStopping …');
  } finally {
    await solo.close();
  }
}
