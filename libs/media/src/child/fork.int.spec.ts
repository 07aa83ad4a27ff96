import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { childEntry } from './entry.ts';
import { forkChild, type ForkChildOptions } from './fork.ts';
import { LANE_WINDOW_MESSAGES } from './lane.ts';
import type { UnrulyInit } from './unruly.child.ts';

const entry = childEntry(import.meta.url, './unruly.child.js');

function forkUnruly(act: UnrulyInit['act'], options: Partial<ForkChildOptions> = {}) {
  return forkChild({ entry, name: 'test', init: { act } satisfies UnrulyInit, startDeadlineMs: 10_000, memoryCapMb: 512, ...options });
}

async function isGone(pid: number): Promise<boolean> {
  for (let tries = 0; tries < 100; tries += 1) {
    try {
      process.kill(pid, 0);
    } catch {
      return true;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}

describe('a supervised child', () => {
  it('carries bytes both ways, in order, and ends its messages when it is asked to stop', async () => {
    const child = await forkUnruly('echo');
    const sent = Array.from({ length: 300 }, (_, n) => new Uint8Array([n & 255, n >> 8]));
    const sending = Promise.all(sent.map((bytes) => child.send(bytes)));
    const received: number[] = [];
    for await (const message of child.messages) {
      const bytes = message as [number, number];
      received.push(bytes[0] + (bytes[1] << 8));
      if (received.length === sent.length) break;
    }
    await sending;
    expect(received).toEqual(sent.map((_, n) => n));
    await child.stop({ deadlineMs: 5000 });
    expect(await child.exited).toEqual({ code: 0, signal: null, error: null });
    await child.stop({ deadlineMs: 1 });
    expect(await isGone(child.pid)).toBe(true);
  });

  it('reports an error of its start with code, message, hint and details', async () => {
    await expect(forkUnruly('refuse')).rejects.toMatchObject({
      name: 'RunnelError',
      code: 'not_video',
      message: 'No video in there.',
      hint: 'Try another.',
      details: { path: 'x' },
    });
  });

  it('is killed at once when its start is given up, also before it has begun', async () => {
    const giveUp = new AbortController();
    const starting = expect(forkUnruly('hang', { signal: giveUp.signal })).rejects.toMatchObject({ code: 'shutting_down' });
    setTimeout(() => giveUp.abort(), 200);
    await starting;
    await expect(forkUnruly('hang', { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'shutting_down' });
  });

  it('is killed when it hangs at its start', async () => {
    const began = performance.now();
    await expect(forkUnruly('hang', { startDeadlineMs: 700 })).rejects.toMatchObject({ code: 'deadline_exceeded' });
    expect(performance.now() - began).toBeLessThan(5000);
  });

  it('turns a crash and an unasked exit into media_child_died', async () => {
    await expect(forkUnruly('die')).rejects.toMatchObject({
      code: 'media_child_died',
      message: expect.stringContaining('SIGSEGV') as unknown,
    });
    await expect(forkUnruly('exit')).rejects.toMatchObject({
      code: 'media_child_died',
      message: expect.stringContaining('exit code 7') as unknown,
    });
  });

  it('that is killed from outside ends its messages with the error and refuses more', async () => {
    const child = await forkUnruly('swallow');
    process.kill(child.pid, 'SIGKILL');
    await expect(child.messages[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'media_child_died' });
    expect(await child.exited).toMatchObject({ signal: 'SIGKILL', error: { code: 'media_child_died' } });
    await expect(child.send('x')).rejects.toMatchObject({ code: 'media_child_died' });
  });

  it('hands over what it sent before it failed, then its error', async () => {
    const child = await forkUnruly('fail-later');
    const messages = child.messages[Symbol.asyncIterator]();
    expect(await messages.next()).toEqual({ done: false, value: 'first' });
    await expect(messages.next()).rejects.toMatchObject({ code: 'broken_media', message: 'It broke in the middle.' });
    expect((await child.exited).error).toMatchObject({ code: 'broken_media' });
  });

  it('is killed when it does not stop in time, and that is no error', async () => {
    const child = await forkUnruly('stubborn');
    await child.stop({ deadlineMs: 200 });
    expect(await child.exited).toEqual({ code: null, signal: 'SIGKILL', error: null });
  });

  it('is killed when it grows over its memory cap', async () => {
    const child = await forkUnruly('eat', { memoryCapMb: 200 });
    expect(await child.exited).toMatchObject({
      error: { code: 'media_child_died', message: expect.stringContaining('200 MiB') as unknown },
    });
  });

  it('may still send its last words after the request to stop', async () => {
    const child = await forkUnruly('finish-on-stop');
    const messages = child.messages[Symbol.asyncIterator]();
    const first = messages.next();
    const stopped = child.stop({ deadlineMs: 5000 });
    expect(await first).toEqual({ done: false, value: 'tail' });
    expect(await messages.next()).toMatchObject({ done: true });
    await stopped;
  });

  it('can stop although nobody reads what it sends', async () => {
    const child = await forkUnruly('flood');
    await child.stop({ deadlineMs: 10_000 });
    expect(await child.exited).toMatchObject({ code: 0 });
  });

  it('inherits neither secrets of the environment nor node options, and does not share the process group of the terminal', async () => {
    process.env['RUNNEL_TEST_SECRET'] = 'hush';
    const child = await forkUnruly('environment');
    const { value } = (await child.messages[Symbol.asyncIterator]().next()) as {
      value: { env: Record<string, string>; execArgv: string[]; group: string };
    };
    delete process.env['RUNNEL_TEST_SECRET'];
    expect(value.env['RUNNEL_TEST_SECRET']).toBeUndefined();
    expect(value.env['NODE_OPTIONS']).toBeUndefined();
    expect(value.execArgv).toEqual([]);
    expect(value.group).toBe(String(child.pid));
    await child.exited;
  });
});

describe('backpressure of a child', () => {
  it('holds the sender once a window of messages is not taken', async () => {
    const child = await forkUnruly('swallow');
    let accepted = 0;
    const sending = Promise.allSettled(Array.from({ length: 200 }, () => child.send('x').then(() => (accepted += 1))));
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(accepted).toBe(LANE_WINDOW_MESSAGES);
    await child.stop({ deadlineMs: 200 });
    expect((await sending).filter(({ status }) => status === 'rejected')).toHaveLength(200 - LANE_WINDOW_MESSAGES);
  });

  it('holds a child whose parent does not read, without losing a message', async () => {
    const child = await forkUnruly('flood');
    await new Promise((resolve) => setTimeout(resolve, 300));
    const received: unknown[] = [];
    for await (const message of child.messages) received.push(message);
    expect(received).toEqual(Array.from({ length: 1000 }, (_, n) => n));
  });
});

describe('a child and the signals of others', () => {
  it('survives an interrupt and leaves by itself when its parent is gone', async () => {
    // A parent of its own for the child: a plain process that forks it, says its pid and is then killed.
    const script = `
      const { fork } = await import('node:child_process');
      const child = fork(${JSON.stringify(fileURLToPath(entry))}, [], { execArgv: [], serialization: 'advanced', stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
      child.on('message', (message) => { if (message.type === 'ready') process.stdout.write(String(child.pid)); });
      child.send({ type: 'init', init: { act: 'swallow' } });
    `;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const pid = Number(await new Promise<Buffer>((resolve) => parent.stdout.once('data', resolve)));
    process.kill(pid, 'SIGINT');
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(() => process.kill(pid, 0)).not.toThrow();
    parent.kill('SIGKILL');
    expect(await isGone(pid)).toBe(true);
  });

  it('does not run without a parent', async () => {
    const alone = spawn(process.execPath, [fileURLToPath(entry)], { stdio: 'ignore' });
    expect(await new Promise((resolve) => alone.once('exit', resolve))).toBe(1);
  });
});
