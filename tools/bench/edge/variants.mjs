import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const LIBRARY = join(import.meta.dirname, '..', '..', '..', 'libs', 'trickle-http', 'dist');
const HOUR_MS = 60 * 60_000;

/** A compiled file of the trickle library. */
function load(...file) {
  return import(pathToFileURL(join(LIBRARY, ...file)).href);
}

/** Files that variants need while they run. Removed by `close`, and not made before they are asked for. */
export class Workplace {
  #directory = null;

  /** Writes a file that only this user may read; its path. */
  write(name, content) {
    this.#directory ??= mkdtempSync(join(tmpdir(), 'runnel-bench-'));
    const path = join(this.#directory, name);
    if (!existsSync(path)) writeFileSync(path, content, { mode: 0o600 });
    return path;
  }

  close() {
    if (this.#directory !== null) rmSync(this.#directory, { recursive: true, force: true });
    this.#directory = null;
  }
}

/** A certificate of its own for 127.0.0.1, as files: `{ cert, key }`. */
export async function certificate(workplace) {
  const { makePair } = await load('testing', 'certificates.js');
  const { cert, key } = await makePair();
  return { cert: workplace.write('tls.crt', cert), key: workplace.write('tls.key', key) };
}

/** A signing key as the file that the edge reads, and the paths below a base that it signs: one token a right, as channels are handed out. */
export async function capability(workplace) {
  const { formatSigningKey, mintToken, newSigningKey } = await load('index.js');
  const key = newSigningKey();
  const expiresMs = Date.now() + 24 * HOUR_MS;
  const path = (base, channel, right) => `${base}${mintToken({ key, channel, rights: [right], expiresMs })}/${channel}`;
  return {
    file: workplace.write('keys', `${formatSigningKey(key)}\n`),
    pathsOf: (base, channel) => ({
      manage: path(base, channel, 'manage'),
      publish: path(base, channel, 'publish'),
      subscribe: path(base, channel, 'subscribe'),
    }),
  };
}
