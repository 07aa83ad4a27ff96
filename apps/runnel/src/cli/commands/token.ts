import { formatSigningKey, newSigningKey } from '@runnel/trickle-http';
import { Command } from 'commander';
import { result } from '../output.ts';
import { tokenInspectCommand } from './token-inspect.ts';
import { tokenMintCommand } from './token-mint.ts';

/** `runnel token` */
export function tokenCommand(): Command {
  return new Command('token')
    .description('Make and read the tokens of capability URLs, and the keys that sign them.')
    .addCommand(tokenMintCommand())
    .addCommand(tokenInspectCommand())
    .addCommand(tokenKeyCommand())
    .addHelpText(
      'after',
      `
Examples:
  (umask 077 && runnel token key > keys)                                a first key, in a file for its owner alone
  EDGE_TOKEN_KEYS_FILE=keys runnel start                                an edge that wants tokens
  runnel token mint --keys-file keys --channel cam --rights subscribe --ttl 2h --url http://127.0.0.1:8081/trickle/
  runnel token inspect TOKEN_OR_URL --keys-file keys

Keys are changed while the edge runs:
  (umask 077 && { runnel token key; head -1 keys; } > keys.new && mv keys.new keys)
New URLs are signed by the first key; those of the second one stay valid until its line is taken away.`,
    );
}

/** `runnel token key` */
function tokenKeyCommand(): Command {
  return new Command('key')
    .description('Print a new key as a line for the file of keys. Whoever has it can make tokens.')
    .addHelpText('after', '\nExample:\n  (umask 077 && runnel token key > keys)')
    .action(() => result(formatSigningKey(newSigningKey())));
}
