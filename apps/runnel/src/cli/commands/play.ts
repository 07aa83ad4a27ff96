import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import type { Writable } from 'node:stream';
import { startRecorder } from '@runnel/media';
import { RunnelError } from '@runnel/errors';
import { Command } from 'commander';
import { playChannel, type PlayOptions } from '../../stream/play.ts';
import { interruptible } from '../interrupt.ts';
import { httpUrl } from '../options.ts';
import { result, say } from '../output.ts';

interface PlayFlags {
  output: string;
  fromStart: boolean;
  json: boolean;
}

/** `runnel play` */
export function playCommand(): Command {
  return new Command('play')
    .description('Read a trickle channel to a file or to stdout, until it ends or Ctrl-C.')
    .argument('<url>', "a session's play URL, or any trickle channel")
    .option(
      '-o, --output <file>',
      "where to write: '-' is stdout; a name that ends in .mp4 makes an MP4, anything else keeps the bytes",
      '-',
    )
    .option('--from-start', 'begin with the oldest segment still held, not with the current one', false)
    .option('--json', 'print what was read as one JSON line (not with stdout as output)', false)
    .addHelpText(
      'after',
      '\nExamples:\n  runnel play PLAY_URL | ffplay -\n  runnel play PLAY_URL --output take.mp4\n  runnel play EVENTS_URL',
    )
    .action(async (url: string, flags: PlayFlags) => {
      if (flags.json && flags.output === '-')
        throw new RunnelError('invalid_usage', { message: '--json needs --output FILE: stdout carries the stream.' });
      await interruptible((signal) => play(httpUrl('play', url), flags, signal));
    });
}

async function play(url: string, flags: PlayFlags, signal: AbortSignal): Promise<void> {
  const sink = await openSink(flags.output);
  try {
    const options: PlayOptions = {
      start: flags.fromStart ? 0 : 'current',
      signal: AbortSignal.any([signal, sink.closed]),
      onBytes: (bytes) => sink.write(bytes),
      onGap: (gap) => say(`gap: segments ${gap.from} to ${gap.to - 1} were missed (${gap.reason})`),
    };
    const played = await playChannel(url, options);
    await sink.finish();
    if (flags.json) result(JSON.stringify({ ...played, output: flags.output }));
    else say(`Read ${played.segments} segments, ${played.bytes} bytes${flags.output === '-' ? '' : ` to ${flags.output}`}.`);
  } finally {
    await sink.close();
  }
}

/** Where played bytes go. */
interface Sink {
  write(bytes: Uint8Array): Promise<void>;
  /** Completes the file. */
  finish(): Promise<void>;
  /** Lets go, complete or not. Idempotent. */
  close(): Promise<void>;
  /** Aborts when nobody reads any more, e.g. the player at the end of the pipe was closed. */
  readonly closed: AbortSignal;
}

async function openSink(output: string): Promise<Sink> {
  if (output.endsWith('.mp4')) {
    const recorder = await startRecorder({ output, format: 'mp4', decode: false });
    const finish = async () => {
      const { frames } = await recorder.finish();
      if (frames === 0)
        throw new RunnelError('broken_media', { message: `No keyframe came, so that there is no ${output}: nothing could be recorded.` });
    };
    return { write: (bytes) => recorder.push(bytes), finish, close: () => recorder.close(), closed: new AbortController().signal };
  }
  if (output === '-' && process.stdout.isTTY) {
    throw new RunnelError('invalid_usage', {
      message: 'A stream would fill the terminal with bytes.',
      hint: 'Pipe it (| ffplay -) or name a file (--output take.mp4).',
    });
  }
  return streamSink(output === '-' ? process.stdout : await openFile(output), output);
}

async function openFile(path: string): Promise<Writable> {
  const file = createWriteStream(path);
  try {
    await once(file, 'open');
    return file;
  } catch (cause) {
    throw new RunnelError('file_not_writable', { message: `Cannot write to '${path}'.`, cause });
  }
}

function streamSink(stream: Writable, output: string): Sink {
  const closed = new AbortController();
  stream.on('error', () => closed.abort());
  stream.on('close', () => closed.abort());
  const finish = async () => {
    if (output === '-' || stream.destroyed) return;
    stream.end();
    await once(stream, 'finish');
  };
  return {
    async write(bytes) {
      if (!closed.signal.aborted && !stream.write(bytes)) await once(stream, 'drain', { signal: closed.signal }).catch(() => undefined);
    },
    finish,
    async close() {
      if (output !== '-') stream.destroy();
    },
    closed: closed.signal,
  };
}
