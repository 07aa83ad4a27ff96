import { open, stat } from 'node:fs/promises';
import { RunnelError, toRunnelError } from '@runnel/errors';
import type { Logger } from '@runnel/service';
import { parseSigningKeys, type SigningKey } from '@runnel/trickle-http';

/** How often the file is looked at. */
const POLL_MS = 2000;

/** Two keys take a fifth of this; more is some other file. */
const MAX_FILE_BYTES = 4096;

/** Permissions of group and others. */
const OTHERS = 0o077;

/** What a key file is opened with. */
export interface KeyFileOptions {
  path: string;
  logger: Logger;
  /** Default `POLL_MS`. */
  pollMs?: number;
  /** Hears of other keys, never of none. */
  onKeys: (keys: readonly SigningKey[]) => void;
}

/** Signing keys that stand in a file and follow it. What is wrong with the file is logged; its last good keys stay in force. */
export interface KeyFile {
  /** One or two, newest first. */
  readonly keys: readonly SigningKey[];
  /** Reads the file now. Never rejects. */
  reload(): Promise<void>;
  /** Lets the file go. Idempotent. */
  close(): Promise<void>;
}

/**
 * Reads a file of keys and follows its changes, replacements by rename and by symbolic link included.
 * @throws RunnelError `invalid_config` when it cannot be read now, or holds no good keys.
 */
export async function openKeyFile(options: KeyFileOptions): Promise<KeyFile> {
  const { text, readable } = await readKeyFile(options.path);
  const file = new FollowedKeyFile(options, { text, keys: parse(text, options.path) });
  if (readable) file.warnReadable();
  return file;
}

/** Reads a file of keys once. @throws RunnelError `invalid_config` when it cannot be read, or holds no good keys. */
export async function readSigningKeys(path: string): Promise<SigningKey[]> {
  const { text } = await readKeyFile(path);
  return parse(text, path);
}

class FollowedKeyFile implements KeyFile {
  keys: readonly SigningKey[];
  readonly #options: KeyFileOptions;
  readonly #timer: NodeJS.Timeout;
  /** Text of the file when it was last looked at and could be read. */
  #text: string;
  /** What was last said of the file, so that it is not said again every few seconds. */
  #complaint = '';
  #reading: Promise<void> | null = null;

  constructor(options: KeyFileOptions, { text, keys }: { text: string; keys: readonly SigningKey[] }) {
    this.#options = options;
    this.#text = text;
    this.keys = keys;
    this.#timer = setInterval(() => void this.reload(), options.pollMs ?? POLL_MS);
    this.#timer.unref();
  }

  reload(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#reading;
  }

  warnReadable(): void {
    const { logger, path } = this.#options;
    logger.warn({ path }, 'others can read the file of signing keys: chmod 600');
  }

  async #read(): Promise<void> {
    const { path, logger, onKeys } = this.#options;
    try {
      const { text, readable } = await readKeyFile(path);
      if (text === this.#text && this.#complaint === '') return;
      const keys = parse(text, path);
      this.#complaint = '';
      if (readable && text !== this.#text) this.warnReadable();
      this.#text = text;
      this.keys = keys;
      onKeys(keys);
      logger.info({ path, keyIds: keys.map(({ id }) => id) }, 'signing keys read');
    } catch (thrown) {
      const { message } = toRunnelError(thrown);
      if (message === this.#complaint) return;
      this.#complaint = message;
      logger.error({ path, reason: message, keyIds: this.keys.map(({ id }) => id) }, 'the signing keys before stay in force');
    }
  }
}

/** `readable`: to others than its owner. @throws RunnelError `invalid_config`. */
async function readKeyFile(path: string): Promise<{ text: string; readable: boolean }> {
  try {
    // Before it is opened: to open a pipe can wait for ever.
    const { mode, size } = await expectFile(path);
    if (size > MAX_FILE_BYTES) throw wrong(path, `is larger than ${MAX_FILE_BYTES} bytes.`);
    const file = await open(path, 'r');
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_FILE_BYTES), 0, MAX_FILE_BYTES, 0);
      return { text: buffer.toString('utf8', 0, bytesRead), readable: (mode & OTHERS) !== 0 };
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof RunnelError) throw error;
    throw wrong(path, `cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown reason'}).`);
  }
}

async function expectFile(path: string): Promise<{ mode: number; size: number }> {
  const stats = await stat(path);
  if (!stats.isFile()) throw wrong(path, 'is not a file.');
  return stats;
}

function parse(text: string, path: string): SigningKey[] {
  try {
    return parseSigningKeys(text);
  } catch (error) {
    throw wrong(path, `cannot be used. ${toRunnelError(error).message}`);
  }
}

function wrong(path: string, what: string): RunnelError {
  return new RunnelError('invalid_config', {
    message: `The key file '${path}' ${what}`,
    hint: 'Make a key with `runnel token key`, one line each, newest first, at most two.',
  });
}
