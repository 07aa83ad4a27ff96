import { RunnelError } from '@runnel/errors';
import { readSigningKeys } from '@runnel/trickle-edge';
import { channelUrl, inspectToken, isChannelName, mintToken, type Right, RIGHTS } from '@runnel/trickle-http';
import { Command } from 'commander';
import { duration, httpUrl } from '../options.ts';
import { result } from '../output.ts';

interface MintFlags {
  keysFile: string;
  channel: string;
  rights: Right[];
  ttl: number;
  url?: string;
  json: boolean;
}

const DEFAULT_TTL_MS = 3_600_000;

/** `runnel token mint` */
export function tokenMintCommand(): Command {
  return new Command('mint')
    .description('Make a token for one channel, signed by the first key of a file. It goes before the name of the channel in its URL.')
    .requiredOption('--keys-file <file>', "the edge's EDGE_TOKEN_KEYS_FILE")
    .requiredOption('--channel <name>', 'name of the channel', channelName)
    .requiredOption('--rights <list>', 'publish, subscribe, manage (make and end the channel); several with commas', rightList)
    .option('--ttl <time>', 'how long it is valid: 90s, 30m, 12h, 7d (default: 1h)', duration('--ttl', { maxDays: 366 }), DEFAULT_TTL_MS)
    .option('--url <base>', 'base URL of the edge: print the whole URL of the channel', (text) => httpUrl('--url', text))
    .option('--json', 'print token, URL, rights and expiry as one JSON line', false)
    .addHelpText(
      'after',
      `
Examples:
  runnel token mint --keys-file keys --channel cam --rights publish,manage --url http://127.0.0.1:8081/trickle/
  runnel token mint --keys-file keys --channel cam --rights subscribe --ttl 7d --json | jq -r .token

The output is a secret: whoever has it can use the channel.`,
    )
    .action(async (flags: MintFlags) => {
      const [key] = await readSigningKeys(flags.keysFile);
      // The token holds whole seconds: rounded up, it lives at least as long as was asked.
      const expiresMs = Math.ceil(Date.now() / 1000) * 1000 + flags.ttl;
      const token = mintToken({ key, channel: flags.channel, rights: flags.rights, expiresMs });
      const url = flags.url === undefined ? null : channelUrl({ base: `${flags.url}/`, channel: flags.channel, token });
      if (!flags.json) return result(url ?? token);
      const { keyId, rights } = inspectToken(token)!;
      result(JSON.stringify({ token, url, channel: flags.channel, keyId, rights, expiresAt: new Date(expiresMs).toISOString() }));
    });
}

/** @throws RunnelError `invalid_usage`. */
export function channelName(text: string): string {
  if (isChannelName(text)) return text;
  throw new RunnelError('invalid_usage', { message: '--channel wants 1 to 200 of A-Z a-z 0-9 . _ ~ -' });
}

function rightList(text: string): Right[] {
  const names = text.split(',').map((name) => name.trim());
  const wrong = names.find((name) => !(RIGHTS as readonly string[]).includes(name));
  if (wrong === undefined) return names as Right[];
  throw new RunnelError('invalid_usage', { message: `--rights wants some of ${RIGHTS.join(',')}, not '${wrong}'.` });
}
