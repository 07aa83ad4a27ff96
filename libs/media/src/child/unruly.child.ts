/** The child of this folder's tests: does, on request, what a child must survive or not be able to do. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { RunnelError } from '@runnel/errors';
import { serveChild } from './serve.ts';

/** Which misdeed the child commits. */
export interface UnrulyInit {
  act:
    | 'echo'
    | 'refuse'
    | 'hang'
    | 'die'
    | 'exit'
    | 'flood'
    | 'swallow'
    | 'stubborn'
    | 'eat'
    | 'fail-later'
    | 'environment'
    | 'finish-on-stop';
}

serveChild(async ({ act }: UnrulyInit, port) => {
  switch (act) {
    case 'refuse':
      throw new RunnelError('not_video', { message: 'No video in there.', hint: 'Try another.', details: { path: 'x' } });
    case 'hang':
      // Blocks the event loop itself, like a codec in an endless loop.
      for (;;) if (Date.now() < 0) return;
    case 'die':
      process.kill(process.pid, 'SIGSEGV');
      return new Promise(() => undefined);
    case 'exit':
      process.exit(7);
    case 'flood':
      for (let n = 0; n < 1000; n += 1) await port.send(n);
      return;
    case 'swallow':
      await port.ready();
      return new Promise(() => setInterval(() => undefined, 1000));
    case 'stubborn':
      await port.ready();
      for (;;) if (Date.now() < 0) return;
    case 'eat': {
      await port.ready();
      const kept: Buffer[] = [];
      for (;;) {
        kept.push(Buffer.alloc(16 << 20, 1));
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
    case 'fail-later':
      await port.send('first');
      throw new RunnelError('broken_media', { message: 'It broke in the middle.' });
    case 'environment':
      await port.send({
        env: process.env,
        execArgv: process.execArgv,
        group: processGroup(),
      });
      return;
    case 'finish-on-stop':
      await port.ready();
      for await (const _ of port.messages);
      await port.send('tail');
      return;
    case 'echo':
      await port.ready();
      for await (const message of port.messages) await port.send(message);
  }
});

/** The process group of this process; without /proc, `ps` tells. */
function processGroup(): string {
  if (process.platform === 'linux') return readFileSync('/proc/self/stat', 'utf8').split(') ').at(-1)!.split(' ')[2];
  return spawnSync('ps', ['-o', 'pgid=', '-p', String(process.pid)])
    .stdout.toString()
    .trim();
}
