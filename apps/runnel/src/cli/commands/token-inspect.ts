import { RunnelError } from '@runnel/errors';
import { readSigningKeys } from '@runnel/trickle-edge';
import { inspectToken, parseCapabilityUrl, type TokenVerdict, verifyToken } from '@runnel/trickle-http';
import { Command } from 'commander';
import { renderFields } from '../fields.ts';
import { result } from '../output.ts';
import { channelName } from './token-mint.ts';

interface InspectFlags {
  keysFile?: string;
  channel?: string;
  json: boolean;
}

/** What can be said of a token that can be read. `unchecked`: not expired, and no keys to tell more by. */
type Verdict = Exclude<TokenVerdict, 'malformed'> | 'unchecked';

/** Exit code for a token that grants nothing. */
const REFUSED_EXIT_CODE = 1;

/** `runnel token inspect` */
export function tokenInspectCommand(): Command {
  return new Command('inspect')
    .description('Say what a token grants, and with the keys also whether it is valid. The signature is never shown.')
    .argument('<token>', 'a token, or a URL that holds one')
    .option('--keys-file <file>', "the edge's EDGE_TOKEN_KEYS_FILE, to check the signature")
    .option('--channel <name>', 'the channel to check a bare token for; a URL names its own', channelName)
    .option('--json', 'print one JSON line', false)
    .addHelpText(
      'after',
      `
Examples:
  runnel token inspect TOKEN
  runnel token inspect http://127.0.0.1:8081/trickle/TOKEN/cam --keys-file keys
  runnel token inspect TOKEN --channel cam --keys-file keys --json

The status is valid, expired, unknown_key or wrong_signature; unchecked without keys. Exit code 0 for valid and unchecked, 1 for the others.`,
    )
    .action(async (text: string, flags: InspectFlags) => {
      const { token, channel } = locate(text, flags.channel);
      const { keyId, rights, expiresMs } = inspectToken(token)!;
      const status = await judge(token, { channel, keysFile: flags.keysFile, expiresMs });
      const found = { status, channel, keyId, rights, expiresAt: new Date(expiresMs).toISOString() };
      if (flags.json) result(JSON.stringify(found));
      else for (const line of renderFields({ ...found, rights: rights.join(', ') })) result(line);
      if (status !== 'valid' && status !== 'unchecked') process.exitCode = REFUSED_EXIT_CODE;
    });
}

function locate(text: string, channel: string | undefined): { token: string; channel: string | null } {
  if (inspectToken(text) !== null) return { token: text, channel: channel ?? null };
  const found = parseCapabilityUrl(text);
  // Not quoted: what is nearly a token may be nearly a secret.
  if (found === null) throw new RunnelError('invalid_usage', { message: 'That is neither a token nor a URL that holds one.' });
  if (channel !== undefined && channel !== found.channel) {
    throw new RunnelError('invalid_usage', { message: '--channel is not the channel of the URL.' });
  }
  return found;
}

async function judge(
  token: string,
  { channel, keysFile, expiresMs }: { channel: string | null; keysFile: string | undefined; expiresMs: number },
): Promise<Verdict> {
  const nowMs = Date.now();
  if (keysFile === undefined) return nowMs >= expiresMs ? 'expired' : 'unchecked';
  if (channel === null)
    throw new RunnelError('invalid_usage', { message: '--keys-file needs the channel: name it by --channel, or give the whole URL.' });
  const { verdict } = verifyToken({ token, channel, keys: await readSigningKeys(keysFile), nowMs });
  // What is malformed was refused before.
  return verdict as Verdict;
}
