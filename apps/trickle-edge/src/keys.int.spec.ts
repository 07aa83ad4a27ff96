import { chmod, mkdir, mkdtemp, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createLogger } from '@runnel/service';
import { formatSigningKey, newSigningKey } from '@runnel/trickle-http';
import { type KeyFile, openKeyFile } from './keys.ts';

const [first, second, third] = [newSigningKey(), newSigningKey(), newSigningKey()];
const lines = [first, second, third].map(formatSigningKey);
const DEADLINE_MS = 5000;

describe('a file of signing keys', () => {
  let folder: string;
  let path: string;
  let file: KeyFile | undefined;
  let logged: string[];
  let told: string[][];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'runnel-keys-'));
    path = join(folder, 'keys');
    logged = [];
    told = [];
  });
  afterEach(async () => {
    await file?.close();
    await file?.close();
    file = undefined;
    await rm(folder, { recursive: true, force: true });
    for (const line of lines) expect(logged.join()).not.toContain(line.split(':')[1]);
  });

  async function write(...keys: string[]): Promise<void> {
    await writeFile(path, `${keys.join('\n')}\n`, { mode: 0o600 });
  }

  async function openFile(pollMs = 20): Promise<KeyFile> {
    const logger = createLogger({ name: 'keys', level: 'info', destination: { write: (line) => void logged.push(line) } });
    file = await openKeyFile({ path, logger, pollMs, onKeys: (keys) => void told.push(keys.map(({ id }) => id)) });
    return file;
  }

  async function until(condition: () => boolean): Promise<void> {
    for (const deadline = performance.now() + DEADLINE_MS; !condition(); await new Promise((resolve) => setTimeout(resolve, 5))) {
      if (performance.now() > deadline) throw new Error(`still not so: ${condition.toString()}\n${logged.join('')}`);
    }
  }

  it('gives its keys in their order', async () => {
    await write('# newest first', lines[1], lines[0]);
    expect((await openFile()).keys.map(({ id }) => id)).toEqual([second.id, first.id]);
    expect(logged).toEqual([]);
  });

  it('is followed: written over, replaced by another file, switched by a link as in a mounted secret', async () => {
    await write(lines[0]);
    const { keys } = await openFile();
    expect(keys.map(({ id }) => id)).toEqual([first.id]);
    await write(lines[1], lines[0]);
    await until(() => told.at(-1)?.join() === `${second.id},${first.id}`);
    await writeFile(`${path}.new`, lines[1], { mode: 0o600 });
    await rename(`${path}.new`, path);
    await until(() => told.at(-1)?.join() === second.id);
    await writeFile(join(folder, 'v2'), lines[2], { mode: 0o600 });
    await unlink(path);
    await symlink(join(folder, 'v2'), path);
    await until(() => told.at(-1)?.join() === third.id);
    expect(file!.keys.map(({ id }) => id)).toEqual([third.id]);
  });

  it('is read at once when that is asked for', async () => {
    await write(lines[0]);
    await openFile(3_600_000);
    await write(lines[1]);
    await file!.reload();
    expect([file!.keys.map(({ id }) => id), told]).toEqual([[second.id], [[second.id]]]);
    await file!.reload();
    expect(told).toHaveLength(1);
  });

  it('keeps its last good keys while it is broken, says why once, and is well again afterwards', async () => {
    await write(lines[0]);
    await openFile(3_600_000);
    for (const [broken, reason] of [
      ['', 'There is no key in it.'],
      [lines[1].slice(0, -3), 'Line 1'],
      [lines.join('\n'), 'Line 3 is one key too many'],
      ['x'.repeat(5000), 'is larger than 4096 bytes'],
    ]) {
      await writeFile(path, broken);
      logged.length = 0;
      for (let times = 0; times < 3; times += 1) await file!.reload();
      expect(logged).toHaveLength(1);
      expect(logged[0]).toContain(reason);
      expect(logged[0]).toContain(first.id);
      expect(file!.keys.map(({ id }) => id)).toEqual([first.id]);
    }
    await unlink(path);
    await file!.reload();
    expect(logged.at(-1)).toContain('cannot be read (ENOENT)');
    expect(told).toEqual([]);
    await write(lines[0]);
    await file!.reload();
    expect([logged.at(-1)!.includes('signing keys read'), told]).toEqual([true, [[first.id]]]);
  });

  it('that others can read is used with a warning', async () => {
    await write(lines[0]);
    await chmod(path, 0o640);
    await openFile();
    expect(logged.join()).toContain('others can read');
  });

  it.each([
    ['not there', async () => {}, 'ENOENT'],
    ['empty', () => write(''), 'There is no key in it.'],
    ['a folder', () => mkdir(path).then(() => {}), 'is not a file'],
    ['too large', () => write('#'.repeat(4097)), 'is larger than'],
  ])('is refused at the start when it is %s', async (_, prepare, reason) => {
    await prepare();
    await expect(openFile()).rejects.toMatchObject({
      code: 'invalid_config',
      message: expect.stringContaining(reason),
      hint: expect.any(String),
    });
  });
});
