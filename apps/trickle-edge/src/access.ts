import { isIPv4 } from 'node:net';
import { RunnelError } from '@runnel/errors';
import type { Logger } from '@runnel/service';
import { type Authorizer, createAuthorizer, type SigningKey } from '@runnel/trickle-http';
import type { TrickleEdgeConfig } from './config.ts';
import { openKeyFile } from './keys.ts';

/** Who may use this edge's channels: whoever has a capability URL, or, in open mode, whoever knows a name. */
export interface EdgeAccess {
  /** Undefined in open mode. */
  readonly authorizer: Authorizer | undefined;
  /** The newest key, which new tokens are signed with; null in open mode. */
  key(): SigningKey | null;
  /** Reads the keys again. Never rejects. */
  reload(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens the keys, or open mode where it is allowed.
 * @throws RunnelError `invalid_config` for keys that cannot be used, and for an edge without keys that others could reach.
 */
export async function openAccess({ config, logger }: { config: TrickleEdgeConfig; logger: Logger }): Promise<EdgeAccess> {
  const path = config.EDGE_TOKEN_KEYS_FILE;
  if (path === undefined) {
    assertOpenAllowed(config, logger);
    return { authorizer: undefined, key: () => null, reload: async () => {}, close: async () => {} };
  }
  if (config.EDGE_OPEN === 'true') {
    throw new RunnelError('invalid_config', {
      message: 'EDGE_OPEN=true and EDGE_TOKEN_KEYS_FILE contradict each other.',
      hint: 'Take one of them away: with keys every URL needs a token.',
    });
  }
  const file = await openKeyFile({ path, logger, onKeys: (keys) => authorizer.rotate(keys) });
  const authorizer = createAuthorizer({ keys: file.keys });
  return { authorizer, key: () => file.keys[0], reload: () => file.reload(), close: () => file.close() };
}

/** Whether an address to listen on is reached from this machine alone. A name counts only if it is `localhost`. */
export function isLoopback(host: string): boolean {
  const address = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  const v4 = address.replace(/^::ffff:/, '');
  return address === 'localhost' || address === '::1' || (isIPv4(v4) && v4.startsWith('127.'));
}

function assertOpenAllowed({ EDGE_OPEN, EDGE_HOST }: TrickleEdgeConfig, logger: Logger): void {
  if (EDGE_OPEN === 'true') {
    if (!isLoopback(EDGE_HOST)) logger.warn({ host: EDGE_HOST }, 'open mode: whoever knows or guesses the name of a channel may use it');
    return;
  }
  if (EDGE_OPEN === 'loopback' && isLoopback(EDGE_HOST)) return;
  const why = EDGE_OPEN === 'false' ? 'EDGE_OPEN=false' : `others can reach ${EDGE_HOST}`;
  throw new RunnelError('invalid_config', {
    message: `This edge has no keys for capability URLs, and ${why}.`,
    hint: 'Set EDGE_TOKEN_KEYS_FILE to a file made by `runnel token key`, or EDGE_HOST to 127.0.0.1, or EDGE_OPEN=true if everybody may use every channel.',
  });
}
